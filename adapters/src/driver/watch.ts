/**
 * One attempt, up to its answer's head, within its time. When it is overdue a
 * probe asks whether the target is still there, and if it is not, the attempt
 * is given up long before its time.
 */

import type { Exchange, Failure, Forward } from "../engine/interface.js";
import type { Sending, Upload } from "./platform.js";
import type { Call, Proxy } from "./proxy.js";

/** `setTimeout` takes no more. */
export const LONGEST_TIMER = 2 ** 31 - 1;

/** Of an overdue attempt, how often is asked whether its target is lost, ms. */
const FIRST_LOOK = 5;
const LAST_LOOK = 100;

/** How an attempt ended: with a head, with a failure, or given up as lost (neither). */
export interface Ended<A> {
  readonly target: number;
  /** When it began, by `performance.now()`. */
  readonly begun: number;
  readonly answer: A | undefined;
  readonly failure: Failure | undefined;
}

export class Watch<Q extends Upload, A> {
  private readonly sending: Sending<A>;
  private readonly started = performance.now();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private over = false;
  /** The pause before the next look; 0 before it is overdue. */
  private look = 0;

  /** Sends the request. `ended` hears once how that went, unless it is aborted. */
  constructor(
    private readonly proxy: Proxy<Q, A>,
    private readonly call: Call<Q>,
    private readonly exchange: Exchange,
    private readonly forward: Forward,
    private readonly ended: (how: Ended<A>) => void,
  ) {
    const { platform, configuration } = proxy;
    const target = configuration.targets[forward.target];
    if (target === undefined) throw new RangeError(`there is no target ${forward.target}`);
    this.sending = platform.send(call.request, target, forward);
    this.wait(Math.min(forward.overdue, forward.timeout));
    this.sending.result.then(
      (answer) => {
        if (this.over) platform.drop(answer);
        else this.end(answer, undefined);
      },
      (error: unknown) => {
        if (!this.over) this.end(undefined, platform.failure(error));
      },
    );
  }

  /** Gives the attempt up. */
  abort(): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.sending.abort();
  }

  /** When it began: the wait for its turn is not the target's. */
  private get begun(): number {
    return this.started + (this.sending.waited ?? 0);
  }

  private end(answer: A | undefined, failure: Failure | undefined): void {
    this.over = true;
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.ended({ target: this.forward.target, begun: this.begun, answer, failure });
  }

  private wait(ms: number): void {
    if (ms === Number.POSITIVE_INFINITY) return;
    this.timer = setTimeout(() => this.tick(), Math.min(Math.max(ms, 1), LONGEST_TIMER));
  }

  private tick(): void {
    const { forward, proxy, call } = this;
    const { engine } = proxy;
    // The time that the client takes to send its body is not the target's.
    const quiet = performance.now() - Math.max(this.begun, call.request.progress);
    if (quiet >= forward.timeout) {
      this.sending.abort();
      this.end(undefined, forward.onTimeout);
      return;
    }
    if (this.look === 0 && quiet >= forward.overdue) {
      this.look = FIRST_LOOK;
      if (engine.overdue(Date.now())) proxy.startRound(call.background);
    }
    if (this.look > 0 && engine.isLost(this.exchange)) {
      this.sending.abort();
      this.end(undefined, undefined);
      return;
    }
    const limit = this.look > 0 ? forward.timeout : Math.min(forward.overdue, forward.timeout);
    const left = limit - Math.max(quiet, 0);
    this.wait(this.look > 0 ? Math.min(this.look, left) : left);
    this.look = Math.min(2 * this.look, LAST_LOOK);
  }
}
