/** A proxy with one configuration: an engine, and the platform that it runs on. */

import type { Configuration, Engine, LocalReply, RequestState, Step } from "../engine/interface.js";
import { Conversation } from "./conversation.js";
import { noticeLine } from "./notice.js";
import type { Background, Platform, Upload } from "./platform.js";
import { round } from "./round.js";
import { statsOf } from "./stats.js";
import { writeDue } from "./store.js";

/** What the engine checks: dot segments, fragments, and targets that are no path. A path without any is not copied into it. */
const CHECKED = /\.\.|%2e|#|^[^/]/i;

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
  /** A response that the proxy makes itself. */
  | { readonly reply: LocalReply; readonly answer?: undefined };

/** A client's request under way. */
export interface Call<Q extends Upload> {
  readonly request: Q;
  readonly background: Background;
}

export class ReverseProxy<Q extends Upload, A> {
  constructor(
    readonly engine: Engine,
    readonly configuration: Configuration,
    readonly platform: Platform<Q, A>,
  ) {
    this.tell();
  }

  serve(about: About, call: Call<Q>): Promise<Outcome<A>> {
    // For `FETCH_EXPLAIN` only: on some hosts reading the clock is not free.
    const started = this.configuration.explain ? performance.now() : 0;
    const path = CHECKED.test(about.path) ? about.path : "";
    const step = this.engine.begin(about.method, path, about.hops, about.hasBody, Date.now());
    return new Promise((resolve, reject) => {
      new Conversation(this, call, started, step.state, resolve, reject).follow(step);
    });
  }

  /** Starts the background work that a step calls for. */
  beside(step: Step, background: Background): void {
    if (step.notices) this.tell();
    if (step.round) {
      const first = this.engine.startRound(Date.now());
      if (first !== undefined) background(round(this, first, background));
    }
    if (step.write) writeDue(this, background);
  }

  /** Reports the engine's notices to the operator. */
  tell(): void {
    const notices = this.engine.takeNotices(Date.now());
    for (const notice of notices) this.platform.notice(noticeLine(notice));
  }

  /** Tells the counts for monitoring if it is time to; with `all`, whatever there is. */
  tellStats(all: boolean): void {
    if (this.configuration.statsAfter === 0) return;
    const taken = this.engine.takeStats(all, Date.now());
    if (taken !== undefined) this.platform.stats(statsOf(taken));
  }

  relay(state: RequestState, answer: A, started: number): Outcome<A> {
    if (!this.configuration.explain) return { answer, explain: undefined, elapsed: 0 };
    return {
      answer,
      explain: this.engine.explain(state, this.platform.status(answer)),
      elapsed: performance.now() - started,
    };
  }

  /**
   * Waits for the first healthy probe, or the round's end. It polls instead of being
   * woken: on Workers one request must not resolve what another one waits for.
   */
  async roundReady(timeout: number): Promise<void> {
    const until = performance.now() + timeout;
    for (let pause = 1; !this.engine.roundIsReady(Date.now()); pause = Math.min(2 * pause, 8)) {
      if (performance.now() >= until) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
