/**
 * A client's request body on its way to a target, and to the next one when
 * that fails. It streams: the client is read when a target has taken what came
 * before. What targets took is kept for another attempt as long as it fits.
 */

import type { Readable } from "node:stream";
import type { Body } from "../engine/interface.js";

interface Waiter {
  resolve(result: IteratorResult<Buffer, undefined>): void;
  reject(error: Error): void;
}

export class ClientBody {
  /** What has become of it so far. */
  fate: Body = "untouched";
  /** See `Upload.progress`. */
  progress = 0;
  private kept: Buffer[] = [];
  private keptBytes = 0;
  /** Read from the client, not taken yet. */
  private unsent: Buffer[] = [];
  private ended = false;
  private broken: Error | undefined;
  private listening = false;
  private share: Share | undefined;
  private waiter: Waiter | undefined;

  /**
   * `limit`: the most bytes that are kept. `isCut`: whether what looks like the
   * end of the source is none.
   */
  constructor(
    private readonly source: Readable,
    private readonly limit: number,
    private readonly isCut: () => boolean = () => false,
  ) {}

  /** The body for an attempt, from its first byte on. Call `reclaim` first. */
  forAttempt(): AsyncIterable<Buffer> {
    this.share = new Share(this, this.kept.slice());
    return this.share;
  }

  /** Ends what an attempt still takes, and says what has become of the body. */
  reclaim(): Body {
    this.share?.stop();
    this.share = undefined;
    return this.fate;
  }

  /** The client has gone, or the response is over: nothing of the body is wanted any more. */
  fail(error: Error): void {
    if (this.ended || this.broken !== undefined) return;
    this.broken = error;
    this.fate = "broken";
    this.progress = performance.now();
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.reject(error);
  }

  /** The next piece that no target has had. For `Share`. */
  take(waiter: Waiter): void {
    if (this.broken !== undefined) {
      waiter.reject(this.broken);
      return;
    }
    const chunk = this.unsent.shift();
    if (chunk !== undefined) {
      this.keep(chunk);
      waiter.resolve({ done: false, value: chunk });
    } else if (this.ended) {
      waiter.resolve({ done: true, value: undefined });
    } else {
      this.waiter = waiter;
      // While it is the client that is waited for, no time-out runs.
      this.progress = Number.POSITIVE_INFINITY;
      this.read();
    }
  }

  /** `waiter` does not wait any longer. */
  release(waiter: Waiter): void {
    if (this.waiter !== waiter) return;
    this.waiter = undefined;
    this.progress = performance.now();
  }

  private read(): void {
    if (this.listening) {
      this.source.resume();
      return;
    }
    this.listening = true;
    this.source
      .on("end", () => this.end())
      .on("error", (error: Error) => this.fail(error))
      // Some streams end early without an error.
      .on("close", () => this.fail(new Error("the request's body ended early")))
      .on("data", (chunk: Buffer) => this.receive(chunk));
  }

  private receive(chunk: Buffer): void {
    // Nobody wants the rest: it flows off.
    if (this.broken !== undefined) return;
    const { waiter } = this;
    if (waiter === undefined) {
      this.unsent.push(chunk);
      this.source.pause();
      return;
    }
    this.waiter = undefined;
    this.keep(chunk);
    waiter.resolve({ done: false, value: chunk });
  }

  private end(): void {
    if (this.isCut()) {
      this.fail(new Error("the client broke its body off"));
      return;
    }
    this.ended = true;
    this.progress = performance.now();
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.resolve({ done: true, value: undefined });
  }

  /** What is handed out counts as taken. */
  private keep(chunk: Buffer): void {
    this.progress = performance.now();
    this.keptBytes += chunk.byteLength;
    if (this.keptBytes <= this.limit) {
      this.kept.push(chunk);
      this.fate = "replayable";
    } else {
      this.kept = [];
      this.fate = "gone";
    }
  }
}

/**
 * One attempt's share of a body. Stopped, it throws, so that what the target
 * got never looks complete.
 */
class Share implements AsyncIterableIterator<Buffer, undefined> {
  private waiter: Waiter | undefined;
  private stopped: Error | undefined;

  /** `again`: what the attempts before took. */
  constructor(
    private readonly body: ClientBody,
    private readonly again: Buffer[],
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    return new Promise((resolve, reject) => {
      const value = this.stopped === undefined ? this.again.shift() : undefined;
      if (this.stopped !== undefined) reject(this.stopped);
      else if (value !== undefined) resolve({ done: false, value });
      else {
        this.waiter = { resolve, reject };
        this.body.take(this.waiter);
      }
    });
  }

  stop(): void {
    this.stopped ??= new Error("the attempt was given up");
    const { waiter } = this;
    if (waiter === undefined) return;
    this.body.release(waiter);
    waiter.reject(this.stopped);
  }
}
