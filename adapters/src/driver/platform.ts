/** What a JavaScript host must provide for the driver. */

import type { Attempt, Failure, ProbeResponse, ReplayState, Target } from "../engine/interface.js";
import type { Stats } from "./stats.js";

/** Something under way that can be aborted. */
export interface Sending<T> {
  /** Its result; rejects with whatever the host's own error is. */
  readonly result: Promise<T>;
  /**
   * How long it has waited in the host's queue before it was sent, ms, which does
   * not count against a target. Absent where everything is sent at once.
   */
  readonly waited?: number;
  /** Aborts it. Its result no longer matters. */
  abort(): void;
}

/** A probe under way. */
export interface Probing extends Sending<ProbeResponse> {
  /**
   * What is left to do after the result, and is not measured: a short body is read
   * to its end. The next probe waits for it. Never rejects.
   */
  readonly rest?: Promise<void>;
}

/** The store for the shared decision (L2). Both calls may reject. */
export interface Store {
  get(key: string): Promise<string | null | undefined>;
  /** `ttlSeconds`: after that nobody would use the value any more. */
  put(key: string, value: string, ttlSeconds: number): Promise<void>;
}

/**
 * Keeps the host running until the work is done, beyond the response if need be.
 * The work never rejects.
 */
export type Background = (work: Promise<void>) => void;

/** What the driver needs of a client's request: the upload of its body. */
export interface Upload {
  /** Whether it can be sent to another target at present. */
  readonly replayState: ReplayState;
  /** Stops the upload to the current attempt, and says whether the body can be sent to another target. */
  stopUpload(): Promise<ReplayState>;
  /**
   * When a target last took some of it, by `performance.now()`: time-outs count
   * from there. `Infinity` while the client has yet to send more, so that they do
   * not count at all; 0 where no body is sent.
   */
  readonly uploadProgress: number;
}

/** A host. `Q` is a client's request, `A` an upstream response up to its head. */
export interface Platform<Q extends Upload, A> {
  /** Sends the request to `target`, up to the response head. */
  send(request: Q, target: Target, attempt: Attempt): Sending<A>;
  /** A `GET` of `url`, up to the response head. */
  probe(url: string): Probing;
  /** The store, where there is one. */
  readonly store: Store | undefined;
  /** Which failure an error of `send` or `probe` is. */
  failure(error: unknown): Failure;
  status(answer: A): number;
  retryAfter(answer: A): string | undefined;
  /** Discards a response that the client does not get. */
  drop(answer: A): void;
  /** Reports to the operator. */
  notice(line: string): void;
  /** Passes the counts for monitoring on. */
  stats(stats: Stats): void;
}
