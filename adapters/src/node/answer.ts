/**
 * A target's answer, from its head on. Its body flows to whoever is given it;
 * what comes before that is held, up to a bound.
 */

import type { Duplex } from "node:stream";
import type { FieldMap } from "./fields.js";

/** The source of an answer's body. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Where an answer's body goes. */
export interface Sink {
  /** Whether it can take more; if not, it says so by `Answer.resume`. */
  write(chunk: Buffer): boolean;
  /** `last` is the end of the body that was not written yet. */
  end(last: Buffer | undefined, trailers: FieldMap): void;
  /** The body ends before its end. */
  fail(error: Error): void;
}

/**
 * Held before it is known who gets the body. Most answers fit, so that their
 * connection is free again at once.
 */
const HELD_BYTES = 16 * 1024;

/** Of an answer that nobody gets, so much is read to keep its connection, and for so long, ms. */
const DRAINED_BYTES = 64 * 1024;
const DRAINED_FOR = 1_000;

const NONE: FieldMap = {};

export class Answer {
  /** Of a target that switched protocols: the connection. */
  socket: Duplex | undefined;
  private sink: Sink | undefined;
  private held: Buffer[] = [];
  private heldBytes = 0;
  private draining: NodeJS.Timeout | undefined;
  private ended = false;
  private trailers = NONE;
  private failed: Error | undefined;

  constructor(
    readonly status: number,
    readonly fields: FieldMap,
    private readonly flow: Flow,
  ) {}

  // What its source calls.

  onData(chunk: Buffer): void {
    // undici gives an empty one at every resumption: answered with a pause, that would go on forever.
    if (chunk.byteLength === 0) return;
    if (this.sink !== undefined) {
      if (!this.sink.write(chunk)) this.flow.pause();
      return;
    }
    this.heldBytes += chunk.byteLength;
    if (this.draining !== undefined) {
      if (this.heldBytes > DRAINED_BYTES) this.abort(new Error("the answer is not wanted"));
      return;
    }
    this.held.push(chunk);
    if (this.heldBytes >= HELD_BYTES) this.flow.pause();
  }

  onEnd(trailers: FieldMap): void {
    this.ended = true;
    clearTimeout(this.draining);
    if (this.sink !== undefined) this.sink.end(undefined, trailers);
    else this.trailers = trailers;
  }

  onError(error: Error): void {
    this.failed = error;
    clearTimeout(this.draining);
    this.sink?.fail(error);
  }

  // What its user calls.

  /** Whether nothing of its body is here yet, nor its end. */
  get isBare(): boolean {
    return this.heldBytes === 0 && !this.ended && this.failed === undefined;
  }

  /** Why it broke, if it did before there was any of its body. */
  get brokenAtOnce(): Error | undefined {
    return this.heldBytes === 0 ? this.failed : undefined;
  }

  /**
   * Gives the body to `sink`: what is here at once, the rest as it comes.
   * Returns whether there was anything.
   */
  to(sink: Sink): boolean {
    this.sink = sink;
    const { held } = this;
    this.held = [];
    const last = this.ended ? held.pop() : undefined;
    let room = true;
    for (const chunk of held) room = sink.write(chunk);
    if (this.ended) sink.end(last, this.trailers);
    else if (this.failed !== undefined) sink.fail(this.failed);
    else if (!room) this.flow.pause();
    else if (this.heldBytes >= HELD_BYTES) this.flow.resume();
    return this.heldBytes > 0 || this.ended || this.failed !== undefined;
  }

  resume(): void {
    if (!this.ended && this.failed === undefined) this.flow.resume();
  }

  abort(reason: Error): void {
    clearTimeout(this.draining);
    this.socket?.destroy();
    if (!this.ended) this.flow.abort(reason);
  }

  /** Lets go of it. A short body is read to its end, so that the connection can be used again. */
  drop(): void {
    if (this.socket !== undefined) {
      this.socket.destroy();
      return;
    }
    if (this.ended || this.failed !== undefined || this.draining !== undefined) return;
    this.held = [];
    this.draining = setTimeout(
      () => this.abort(new Error("the answer is not wanted")),
      DRAINED_FOR,
    );
    this.flow.resume();
  }
}
