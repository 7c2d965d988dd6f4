/**
 * A target's response, from its head on. Its body flows to the sink that it is
 * given; what arrives before that is buffered, up to a bound.
 */

import type { Duplex } from "node:stream";
import type { FieldMap } from "./fields.js";

/** The source of a response's body. */
export interface Flow {
  pause(): void;
  resume(): void;
  abort(reason: Error): void;
}

/** Where a response's body goes. */
export interface Sink {
  /** Whether it can take more; if not, it calls `UpstreamResponse.resume` once it can. */
  write(chunk: Buffer): boolean;
  /** `last`: the final chunk, where it was not written yet. */
  end(last: Buffer | undefined, trailers: FieldMap): void;
  /** The body broke off. */
  fail(error: Error): void;
}

/**
 * Buffered before there is a sink. Most responses fit, so that their connection
 * is free again at once.
 */
const BUFFERED_BYTES = 16 * 1024;

/** An unwanted response is read up to so many bytes, and for so long in ms, to keep its connection. */
const DRAINED_BYTES = 64 * 1024;
const DRAINED_FOR = 1_000;

const NONE: FieldMap = {};

export class UpstreamResponse {
  /** The connection, where the target switched protocols. */
  socket: Duplex | undefined;
  /** The address of its target, where a hook asks for it. */
  target: string | undefined;
  private sink: Sink | undefined;
  private buffered: Buffer[] = [];
  private bufferedBytes = 0;
  private draining: NodeJS.Timeout | undefined;
  private ended = false;
  private trailers = NONE;
  private failed: Error | undefined;

  constructor(
    readonly status: number,
    readonly fields: FieldMap,
    private readonly flow: Flow,
  ) {}

  // Called by the source.

  onData(chunk: Buffer): void {
    // undici delivers an empty chunk at every resume: a pause in reply would repeat that forever.
    if (chunk.byteLength === 0) return;
    if (this.sink !== undefined) {
      if (!this.sink.write(chunk)) this.flow.pause();
      return;
    }
    this.bufferedBytes += chunk.byteLength;
    if (this.draining !== undefined) {
      if (this.bufferedBytes > DRAINED_BYTES) this.abort(new Error("the response is not wanted"));
      return;
    }
    this.buffered.push(chunk);
    if (this.bufferedBytes >= BUFFERED_BYTES) this.flow.pause();
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

  // Called by the consumer.

  /** Whether neither any of its body nor its end has arrived. */
  get isBare(): boolean {
    return this.bufferedBytes === 0 && !this.ended && this.failed === undefined;
  }

  /** Why it broke, if it did so before any of its body. */
  get brokenAtOnce(): Error | undefined {
    return this.bufferedBytes === 0 ? this.failed : undefined;
  }

  /**
   * Gives the body to `sink`: what is buffered at once, the rest as it arrives.
   * Returns whether there was anything.
   */
  pipeTo(sink: Sink): boolean {
    this.sink = sink;
    const { buffered } = this;
    this.buffered = [];
    const last = this.ended ? buffered.pop() : undefined;
    let room = true;
    for (const chunk of buffered) room = sink.write(chunk);
    if (this.ended) sink.end(last, this.trailers);
    else if (this.failed !== undefined) sink.fail(this.failed);
    else if (!room) this.flow.pause();
    else if (this.bufferedBytes >= BUFFERED_BYTES) this.flow.resume();
    return this.bufferedBytes > 0 || this.ended || this.failed !== undefined;
  }

  resume(): void {
    if (!this.ended && this.failed === undefined) this.flow.resume();
  }

  abort(reason: Error): void {
    clearTimeout(this.draining);
    this.socket?.destroy();
    if (!this.ended) this.flow.abort(reason);
  }

  /** Discards it. A short body is read to its end, so that the connection can be reused. */
  drop(): void {
    if (this.socket !== undefined) {
      this.socket.destroy();
      return;
    }
    if (this.ended || this.failed !== undefined || this.draining !== undefined) return;
    this.buffered = [];
    this.draining = setTimeout(
      () => this.abort(new Error("the response is not wanted")),
      DRAINED_FOR,
    );
    this.flow.resume();
  }
}
