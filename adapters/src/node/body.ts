/**
 * A client's request body on its way to a target, and to the next one when
 * that fails. It streams: the client is read when a target has taken what came
 * before. What targets took is kept for another attempt while it fits.
 */

import type { Readable } from "node:stream";
import type { ReplayState } from "../engine/interface.js";

interface Waiter {
  resolve(result: IteratorResult<Buffer, undefined>): void;
  reject(error: Error): void;
}

export class ClientBody {
  /** Its state so far: whether it can be sent again. */
  replayState: ReplayState = "unsent";
  /** See `Upload.uploadProgress`. */
  uploadProgress = 0;
  private kept: Buffer[] = [];
  private keptBytes = 0;
  /** Read from the client, not taken yet. */
  private unsent: Buffer[] = [];
  private ended = false;
  private broken: Error | undefined;
  private listening = false;
  private share: Share | undefined;
  private waiter: Waiter | undefined;
  /** Runs while the client is waited for. */
  private pause: NodeJS.Timeout | undefined;

  /**
   * `limit`: the most bytes that are kept. `isCut`: whether what looks like the
   * end of the source is the client breaking off. `patience`: how long its next
   * chunk is waited for, ms; 0: as long as it takes.
   */
  constructor(
    private readonly source: Readable,
    private readonly limit: number,
    private readonly isCut: () => boolean = () => false,
    private readonly patience = 0,
  ) {}

  /** The body for an attempt, from its first byte on. Call `stopUpload` first. */
  forAttempt(): AsyncIterable<Buffer> {
    this.share = new Share(this, this.kept.slice());
    return this.share;
  }

  /** Stops the attempt that reads it, and returns the state of the body. */
  stopUpload(): ReplayState {
    this.share?.stop();
    this.share = undefined;
    return this.replayState;
  }

  /** The client has disconnected, or the response is over: the rest of the body is not needed. */
  fail(error: Error): void {
    if (this.ended || this.broken !== undefined) return;
    clearTimeout(this.pause);
    this.broken = error;
    this.replayState = "aborted";
    this.uploadProgress = performance.now();
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.reject(error);
  }

  /** The next chunk that no target has had. For `Share`. */
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
      // While the client is waited for, no time-out runs.
      this.uploadProgress = Number.POSITIVE_INFINITY;
      this.wait();
      this.read();
    }
  }

  /** `waiter` no longer waits. */
  release(waiter: Waiter): void {
    if (this.waiter !== waiter) return;
    clearTimeout(this.pause);
    this.waiter = undefined;
    this.uploadProgress = performance.now();
  }

  private wait(): void {
    if (this.patience === 0) return;
    this.pause = setTimeout(
      () => this.fail(new Error(`the client sent nothing for ${this.patience} ms`)),
      this.patience,
    );
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
    // The rest is read and discarded.
    if (this.broken !== undefined) return;
    const { waiter } = this;
    if (waiter === undefined) {
      this.unsent.push(chunk);
      this.source.pause();
      return;
    }
    clearTimeout(this.pause);
    this.waiter = undefined;
    this.keep(chunk);
    waiter.resolve({ done: false, value: chunk });
  }

  private end(): void {
    if (this.isCut()) {
      this.fail(new Error("the client broke its body off"));
      return;
    }
    clearTimeout(this.pause);
    this.ended = true;
    this.uploadProgress = performance.now();
    const { waiter } = this;
    this.waiter = undefined;
    waiter?.resolve({ done: true, value: undefined });
  }

  /** A chunk that an attempt gets counts as taken. */
  private keep(chunk: Buffer): void {
    this.uploadProgress = performance.now();
    this.keptBytes += chunk.byteLength;
    if (this.keptBytes <= this.limit) {
      this.kept.push(chunk);
      this.replayState = "replayable";
    } else {
      this.kept = [];
      this.replayState = "consumed";
    }
  }
}

/**
 * One attempt's share of a body. When stopped it throws, so that the target never
 * takes a part of the body for all of it.
 */
class Share implements AsyncIterableIterator<Buffer, undefined> {
  private waiter: Waiter | undefined;
  private stopped: Error | undefined;

  /** `replayed`: what earlier attempts took. */
  constructor(
    private readonly body: ClientBody,
    private readonly replayed: Buffer[],
  ) {}

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Buffer, undefined>> {
    return new Promise((resolve, reject) => {
      const value = this.stopped === undefined ? this.replayed.shift() : undefined;
      if (this.stopped !== undefined) reject(this.stopped);
      else if (value !== undefined) resolve({ done: false, value });
      else {
        this.waiter = { resolve, reject };
        this.body.take(this.waiter);
      }
    });
  }

  stop(): void {
    this.stopped ??= new Error("the attempt was aborted");
    const { waiter } = this;
    if (waiter === undefined) return;
    this.body.release(waiter);
    waiter.reject(this.stopped);
  }
}
