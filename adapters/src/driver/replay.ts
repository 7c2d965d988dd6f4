/**
 * A request's body as a web stream that can be sent again: what the target of
 * a failed attempt took is kept, up to `FETCH_REPLAY_BODY_BYTES`.
 */

import type { ReplayState } from "../engine/interface.js";

/** The upload to one attempt, and how to stop it. */
interface Pump {
  readonly done: Promise<void>;
  readonly stop: Stop;
}

/** Reads a body, chunk by chunk. */
export interface Reader {
  /** The next chunk, which is valid until the next call. */
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  releaseLock(): void;
}

/** Interrupts what an attempt waits for: one promise at a time, so that earlier ones can be collected. */
class Stop {
  private stopped = false;
  private wake: (() => void) | undefined;

  /** The result of `work`; `undefined` once it is stopped. */
  or<T>(work: Promise<T>): Promise<T | undefined> {
    if (this.stopped) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      this.wake = () => resolve(undefined);
      work.then(resolve, reject);
    });
  }

  now(): void {
    this.stopped = true;
    this.wake?.();
  }
}

/** A request's body; `source` is null where there is none. */
export class ReplayBody {
  private readonly kept: Uint8Array[] = [];
  private keptBytes = 0;
  private state: ReplayState = "unsent";
  private ended = false;
  private reader: Reader | undefined;
  private reading: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;
  private pump: Pump | undefined;
  private lastTaken = 0;

  /**
   * `limit`: the most bytes that are kept. `broken`: aborts the attempts, since the
   * client broke the body off; a runtime may mistake a stream that fails for one
   * that ends. `large`: the host's best way to read what is not kept, if it has one.
   */
  constructor(
    private readonly source: ReadableStream<Uint8Array> | null,
    private readonly limit: number,
    private readonly broken: () => void,
    private readonly large?: (source: ReadableStream<Uint8Array>) => Reader,
  ) {}

  get exists(): boolean {
    return this.source !== null;
  }

  /** Whether it can be sent to another target at present. */
  get replayState(): ReplayState {
    return this.state;
  }

  /** See `Upload.uploadProgress`. */
  get uploadProgress(): number {
    return this.lastTaken;
  }

  /**
   * The body for an attempt, from its first byte on. `through` makes the pair of
   * streams: workerd has one that knows the length.
   */
  send(through: () => TransformStream<Uint8Array, Uint8Array>): ReadableStream<Uint8Array> | null {
    if (this.source === null) return null;
    const { readable, writable } = through();
    const stop = new Stop();
    const done = this.run(this.source, writable.getWriter(), stop);
    this.pump = { done, stop };
    return readable;
  }

  /** Stops the upload to the current attempt, and says whether the body can be sent to another target. */
  async stopUpload(): Promise<ReplayState> {
    this.pump?.stop.now();
    await this.pump?.done;
    this.pump = undefined;
    return this.state;
  }

  /**
   * The body as it is when all of it comes in one piece, as small ones do with
   * the request's head: then no streams are needed. `length`: its `content-length`.
   */
  async whole(length: number): Promise<Uint8Array | undefined> {
    if (this.source === null) return undefined;
    if (this.reader === undefined && length <= this.limit) {
      this.reader = this.source.getReader();
      const read = await this.read();
      this.reading = undefined;
      if (read.done) this.ended = true;
      else {
        this.keep(read.value);
        this.ended = read.value.byteLength === length;
      }
    }
    return this.ended && this.kept.length === 1 ? this.kept[0] : undefined;
  }

  private async run(
    source: ReadableStream<Uint8Array>,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    stop: Stop,
  ): Promise<void> {
    // The target's side may break at any time; `give` then returns false.
    writer.closed.catch(() => {});
    const give = async (chunk: Uint8Array): Promise<boolean> => {
      const taken = writer.write(chunk).then(
        () => true,
        () => false,
      );
      const went = await stop.or(taken);
      this.lastTaken = performance.now();
      return went === true;
    };
    for (const chunk of this.kept) {
      if (!(await give(chunk))) return this.abandon(writer);
    }
    this.reader ??= source.getReader();
    while (!this.ended) {
      let read: ReadableStreamReadResult<Uint8Array> | undefined;
      try {
        read = await stop.or(this.read());
      } catch (error) {
        this.broken();
        await writer.abort(error).catch(() => {});
        return;
      }
      if (read === undefined) {
        // Stopped: no attempt waits for the client any more.
        this.lastTaken = performance.now();
        return this.abandon(writer);
      }
      this.reading = undefined;
      if (read.done) {
        this.ended = true;
        break;
      }
      const wasKept = this.state !== "consumed";
      this.keep(read.value);
      if (!(await give(read.value))) return this.abandon(writer);
      if (wasKept && this.state === "consumed" && this.large !== undefined) {
        this.reader.releaseLock();
        this.reader = this.large(source);
      }
    }
    await stop.or(writer.close().catch(() => {}));
  }

  /** The next piece. A read that is under way when an attempt stops is the next attempt's first. */
  private read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    // Time-outs do not count while the client is waited for: see `Upload.uploadProgress`.
    this.lastTaken = Number.POSITIVE_INFINITY;
    this.reading ??= this.next();
    return this.reading;
  }

  private async next(): Promise<ReadableStreamReadResult<Uint8Array>> {
    try {
      if (this.reader === undefined) throw new Error("nobody reads the body");
      return await this.reader.read();
    } catch (error) {
      this.state = "aborted";
      throw error;
    } finally {
      this.lastTaken = performance.now();
    }
  }

  /** A chunk counts as taken when it is offered. */
  private keep(chunk: Uint8Array): void {
    this.keptBytes += chunk.byteLength;
    if (this.keptBytes <= this.limit) {
      this.kept.push(chunk);
      this.state = "replayable";
    } else {
      this.kept.length = 0;
      this.state = "consumed";
    }
  }

  private abandon(writer: WritableStreamDefaultWriter<Uint8Array>): void {
    writer.abort(new Error("the attempt was given up")).catch(() => {});
  }
}
