/**
 * One request, from the first step to the last: does what the engine says
 * until an action ends it. The engine and the platform are the two sides; there
 * is no rule of routing here.
 */

import type { Configuration, Engine, Exchange, Reply, Step } from "../engine/interface.js";
import { attempt, isPlain, plainAttempt } from "./attempt.js";
import { noticeLine } from "./notice.js";
import type { Background, Platform, Upload } from "./platform.js";
import { round } from "./round.js";
import { readStore, writeDue } from "./store.js";

/** What the engine looks for in a path: without any, it need not be copied there. */
const DOTS = /\.\.|%2e/i;

/** A client's request, as far as decisions need it. */
export interface About {
  /** In upper case, as it came. */
  readonly method: string;
  /** As it came, perhaps with its query. */
  readonly path: string;
  /** How many Function Fetches it has passed. */
  readonly hops: number;
  readonly hasBody: boolean;
}

/** What the client gets. */
export type Outcome<A> =
  | {
      readonly answer: A;
      /** Its `proxy-status`, with `FETCH_EXPLAIN`. */
      readonly explain: string | undefined;
      /** From the request's arrival to this head, ms, with `explain`. */
      readonly elapsed: number;
      readonly reply?: undefined;
    }
  /** The proxy's own words. */
  | { readonly reply: Reply; readonly answer?: undefined };

/** A client's request under way. */
export interface Call<Q extends Upload> {
  readonly request: Q;
  readonly background: Background;
}

/** A proxy with one configuration: an engine, and the host that it runs on. */
export class Proxy<Q extends Upload, A> {
  constructor(
    readonly engine: Engine,
    readonly configuration: Configuration,
    readonly platform: Platform<Q, A>,
  ) {
    this.tell();
  }

  serve(about: About, call: Call<Q>): Promise<Outcome<A>> {
    // Only who explains needs to know; on some hosts a look at the clock is not free.
    const started = this.configuration.explain ? performance.now() : 0;
    const path = DOTS.test(about.path) ? about.path : "";
    const step = this.engine.begin(about.method, path, about.hops, about.hasBody, Date.now());
    const { exchange, action } = step;
    if (action.tag !== "forward" || !isPlain(action.val)) {
      return this.converse(step, undefined, call, started);
    }
    this.beside(step, call.background);
    return new Promise((resolve, reject) => {
      plainAttempt(
        this,
        call,
        exchange,
        action.val,
        (answer) => resolve(this.relay(exchange, answer, started)),
        (concluded) => {
          concluded
            .then(({ step, answer }) => this.converse(step, answer, call, started, 1))
            .then(resolve, reject);
        },
      );
    });
  }

  /** From a step on, to the end. `held` is the answer that came last, after so many attempts. */
  private async converse(
    first: Step,
    held: A | undefined,
    call: Call<Q>,
    started: number,
    attempts = 0,
  ): Promise<Outcome<A>> {
    const { engine, platform, configuration } = this;
    let step = first;
    for (;;) {
      this.beside(step, call.background);
      const { exchange, action } = step;
      switch (action.tag) {
        case "read-store": {
          const event = await readStore(platform.store, configuration.cacheKey);
          step = engine.settle(exchange, event, Date.now());
          break;
        }
        case "await-round":
          await this.roundReady(action.val);
          step = engine.settle(exchange, { tag: "round-ready" }, Date.now());
          break;
        case "forward": {
          const ended = await attempt(this, call, exchange, action.val, attempts > 0);
          attempts += 1;
          if (ended.answer !== undefined) {
            if (held !== undefined) platform.drop(held);
            held = ended.answer;
          }
          if (ended.step === undefined) {
            return this.relay(exchange, ended.answer, started);
          }
          step = ended.step;
          break;
        }
        case "relay":
          // The engine says so only after it has heard of an answer.
          if (held === undefined) throw new Error("there is nothing to relay");
          return this.relay(exchange, held, started);
        case "reply":
          if (held !== undefined) platform.drop(held);
          return { reply: action.val };
      }
    }
  }

  /** Starts what a step calls for beside its action. */
  beside(step: Step, background: Background): void {
    if (step.news) this.tell();
    if (step.round) this.startRound(background);
    if (step.write) writeDue(this, background);
  }

  startRound(background: Background): void {
    const first = this.engine.startRound(Date.now());
    if (first !== undefined) background(round(this, first, background));
  }

  /** Hands the engine's notices to the operator. */
  tell(): void {
    for (const notice of this.engine.takeNotices()) this.platform.notice(noticeLine(notice));
  }

  private relay(exchange: Exchange, answer: A, started: number): Outcome<A> {
    if (!this.configuration.explain) return { answer, explain: undefined, elapsed: 0 };
    return {
      answer,
      explain: this.engine.explain(exchange, this.platform.status(answer)),
      elapsed: performance.now() - started,
    };
  }

  /**
   * Waits for the first healthy probe, or the round's end. It looks again and
   * again instead of being woken: on Workers one request must not resolve what
   * another one waits for.
   */
  private async roundReady(timeout: number): Promise<void> {
    const until = performance.now() + timeout;
    for (let pause = 1; !this.engine.roundIsReady(Date.now()); pause = Math.min(2 * pause, 8)) {
      if (performance.now() >= until) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
