/**
 * One request, from the first step to the last: does the action, reports the
 * event, starts the work that may run beside it. There is no rule here.
 *
 * Callbacks instead of awaited promises: nearly every request is one attempt
 * with a good response, and takes the shortest path.
 */

import type { Attempt, Event, Failure, RequestState, Step } from "../engine/interface.js";
import type { Sending, Upload } from "./platform.js";
import type { Call, Outcome, ReverseProxy } from "./reverse-proxy.js";
import { readStore } from "./store.js";

/** The longest delay that `setTimeout` accepts, ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/**
 * How often an overdue attempt is reported while a round of probes may find its
 * target dead, ms. Polling, since on Workers one request must not resolve what
 * another one waits for.
 */
const FIRST_POLL = 5;
const LAST_POLL = 100;

/** An attempt whose response head has not come yet. */
interface Running<A> {
  readonly attempt: Attempt;
  readonly sending: Sending<A>;
  readonly started: number;
}

export class Conversation<Q extends Upload, A> {
  private readonly running: Running<A>[] = [];
  private sent = 0;
  /** The last upstream response that came. */
  private held: A | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private poll = FIRST_POLL;
  private over = false;

  /** `started`: when the request came, by `performance.now()`; for `FETCH_EXPLAIN` only. */
  constructor(
    private readonly proxy: ReverseProxy<Q, A>,
    private readonly call: Call<Q>,
    private readonly started: number,
    private state: RequestState,
    private readonly resolve: (outcome: Outcome<A>) => void,
    private readonly reject: (error: unknown) => void,
  ) {}

  /** Carries out a step. */
  follow(step: Step): void {
    const { proxy } = this;
    const { action } = step;
    this.state = step.state;
    proxy.beside(step, this.call.background);
    switch (action.tag) {
      case "send":
        this.send(action.val, step);
        break;
      case "wait":
        this.wait(step);
        break;
      case "cancel": {
        const { target, failure } = action.val;
        const cancelled = this.running.find(({ attempt }) => attempt.target === target);
        if (cancelled !== undefined) {
          this.remove(cancelled);
          cancelled.sending.abort();
        }
        this.reportFailure(target, failure);
        break;
      }
      case "read-store": {
        const { platform, configuration } = proxy;
        this.reportLater(readStore(platform.store, configuration.cacheKey, step.wakeAfter));
        break;
      }
      case "await-round":
        this.reportLater(
          proxy.roundReady(step.wakeAfter).then((): Event => ({ tag: "round-ready" })),
        );
        break;
      case "relay":
        this.relay();
        break;
      case "reply":
        this.end();
        if (this.held !== undefined) proxy.platform.drop(this.held);
        this.resolve({ reply: action.val });
    }
  }

  private send(attempt: Attempt, step: Step): void {
    if (this.sent === 0) {
      this.start(attempt, step);
      return;
    }
    // An earlier attempt may have been answered while it still took the body;
    // if it took more than can be sent again, this one must not start.
    this.call.request.stopUpload().then((replay) => {
      if (this.over) return;
      if (replay === "consumed" || replay === "aborted") {
        const { target } = attempt;
        this.report({ tag: "failed", val: { target, failure: "internal-error", replay } });
      } else {
        this.start(attempt, step);
      }
    });
  }

  private start(attempt: Attempt, step: Step): void {
    const { platform, configuration } = this.proxy;
    const target = configuration.targets[attempt.target];
    if (target === undefined) throw new RangeError(`there is no target ${attempt.target}`);
    const started = performance.now();
    const sending = platform.send(this.call.request, target, attempt);
    const one: Running<A> = { attempt, sending, started };
    this.sent += 1;
    this.running.push(one);
    sending.result.then(
      (answer) => this.answered(one, answer),
      (error: unknown) => {
        if (this.remove(one)) this.reportFailure(attempt.target, platform.failure(error));
      },
    );
    this.wait(step);
  }

  private answered(one: Running<A>, answer: A): void {
    const { platform, configuration } = this.proxy;
    if (!this.remove(one)) {
      // It was given up just before its head arrived.
      platform.drop(answer);
      return;
    }
    if (this.held !== undefined) platform.drop(this.held);
    this.held = answer;
    const status = platform.status(answer);
    const { target, report } = one.attempt;
    if (!report && status < configuration.reportFromStatus) {
      this.relay();
      return;
    }
    this.report({
      tag: "response",
      val: {
        target,
        status,
        replay: this.call.request.replayState,
        retryAfter: platform.retryAfter(answer),
        ttfb: performance.now() - begun(one),
      },
    });
  }

  /** Takes an attempt from those that run, if it is one of them. */
  private remove(one: Running<A>): boolean {
    const index = this.running.indexOf(one);
    if (index < 0) return false;
    this.running.splice(index, 1);
    return true;
  }

  private reportFailure(target: number, failure: Failure): void {
    const stopped = this.call.request.stopUpload();
    this.reportLater(
      stopped.then((replay): Event => ({ tag: "failed", val: { target, failure, replay } })),
    );
  }

  private reportLater(event: Promise<Event>): void {
    event.then(
      (event) => this.report(event),
      (error: unknown) => this.fail(error),
    );
  }

  private report(event: Event): void {
    if (this.over) return;
    try {
      this.follow(this.proxy.engine.settle(this.state, event, Date.now()));
    } catch (error) {
      this.fail(error);
    }
  }

  /** Sets the one timer, in place of the one before. */
  private wait(step: Step): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    let after = step.wakeAfter;
    if (after <= 0) {
      this.tick();
      return;
    }
    if (step.wakeOnRound) {
      after = Math.min(after, this.poll);
      this.poll = Math.min(2 * this.poll, LAST_POLL);
    }
    if (after === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(() => this.tick(), Math.min(Math.max(after, 1), LONGEST_TIMER));
  }

  private tick(): void {
    const { uploadProgress } = this.call.request;
    const now = performance.now();
    const waited = this.running.map((one) => ({
      target: one.attempt.target,
      // The time that the client takes to send its body is not the target's.
      time: Math.max(now - Math.max(begun(one), uploadProgress), 0),
    }));
    this.report({ tag: "timer", val: waited });
  }

  private relay(): void {
    this.end();
    if (this.held === undefined) this.reject(new Error("there is nothing to relay"));
    else this.resolve(this.proxy.relay(this.state, this.held, this.started));
  }

  private fail(error: unknown): void {
    if (this.over) return;
    this.end();
    if (this.held !== undefined) this.proxy.platform.drop(this.held);
    this.reject(error);
  }

  /** Gives up what still runs. */
  private end(): void {
    this.over = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
    for (const one of this.running.splice(0)) one.sending.abort();
  }
}

/** When an attempt began: the wait for its turn is not the target's. */
function begun<A>({ started, sending }: Running<A>): number {
  return started + (sending.waited ?? 0);
}
