/** What a JavaScript host brings to the driver. */

import type { Attempt, Failure, ProbeResponse, ReplayState, Target } from "../engine/interface.js";

/** Something under way that can be given up. */
export interface Sending<T> {
  /** What comes of it; rejects with whatever the host's own error is. */
  readonly result: Promise<T>;
  /**
   * For how long it has waited for the host's leave to begin, ms, which is no
   * target's doing. Missing where everything begins at once.
   */
  readonly waited?: number;
  /** Gives it up. Nothing is to come of it any more. */
  abort(): void;
}

/** A probe under way. */
export interface Probing extends Sending<ProbeResponse> {
  /**
   * What is left to do once there is a result, which no measurement counts: a
   * short body is read to its end. The next probe waits for it. Never rejects.
   */
  readonly rest?: Promise<void>;
}

/** The store for the shared decision (L2). Either may reject. */
export interface Store {
  get(key: string): Promise<string | null | undefined>;
  /** `ttlSeconds`: after so long nobody would use the value any more. */
  put(key: string, value: string, ttlSeconds: number): Promise<void>;
}

/**
 * Lets work go on that no request waits for, after the response too. The work
 * never rejects.
 */
export type Background = (work: Promise<void>) => void;

/** What the driver asks of a client's request: about its body. */
export interface Upload {
  /** Whether it can be sent to another target, as things stand. */
  readonly replayState: ReplayState;
  /** Ends what an attempt still takes of it, and says whether it can be sent to another target. */
  stopUpload(): Promise<ReplayState>;
  /**
   * When a target last took some of it, by `performance.now()`: time-outs count
   * from there, and not at all while it is `Infinity`, since the client is
   * waited for. 0 where no body is sent.
   */
  readonly uploadProgress: number;
}

/** A host. `Q` is a client's request, `A` a target's answer up to its head. */
export interface Platform<Q extends Upload, A> {
  /** Sends the request to `target`, up to the answer's head. */
  send(request: Q, target: Target, attempt: Attempt): Sending<A>;
  /** A `GET` of `url`, up to the answer's head. */
  probe(url: string): Probing;
  /** The store, where there is one. */
  readonly store: Store | undefined;
  /** Which failure an error of `send` or `probe` is. */
  failure(error: unknown): Failure;
  status(answer: A): number;
  retryAfter(answer: A): string | undefined;
  /** Lets go of an answer that the client does not get. */
  drop(answer: A): void;
  /** Tells the operator. */
  notice(line: string): void;
}
