/**
 * A request's body as a web stream that can be sent again: what the target of
 * a failed attempt took is kept, up to `FETCH_REPLAY_BODY_BYTES`.
 */

import type { Body } from "../engine/interface.js";

/** One attempt's share: what it is given, and how to stop it. */
interface Pump {
  readonly done: Promise<void>;
  stop(): void;
}

/** A request's body. Without one, nothing here does anything. */
export class ReplayBody {
  private readonly kept: Uint8Array[] = [];
  private keptBytes = 0;
  private state: Body = "untouched";
  private ended = false;
  private reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  private pump: Pump | undefined;
  private lastTaken = 0;

  /** `limit`: the most bytes that are kept. */
  constructor(
    private readonly source: ReadableStream<Uint8Array> | null,
    private readonly limit: number,
  ) {}

  get exists(): boolean {
    return this.source !== null;
  }

  /** What has become of it so far. */
  get fate(): Body {
    return this.state;
  }

  /** See `Platform.uploadProgress`. */
  get progress(): number {
    return this.lastTaken;
  }

  /**
   * The body for an attempt, from its first byte on. `through` makes the pair of
   * streams: workerd has one that knows the length.
   */
  send(through: () => TransformStream<Uint8Array, Uint8Array>): ReadableStream<Uint8Array> | null {
    if (this.source === null) return null;
    const { readable, writable } = through();
    const stop = new AbortController();
    const writer = writable.getWriter();
    const done = this.run(this.source, writer, stop.signal);
    this.pump = { done, stop: () => stop.abort() };
    return readable;
  }

  /** Ends what an attempt still takes, and says what has become of the body. */
  async reclaim(): Promise<Body> {
    this.pump?.stop();
    await this.pump?.done;
    this.pump = undefined;
    return this.state;
  }

  private async run(
    source: ReadableStream<Uint8Array>,
    writer: WritableStreamDefaultWriter<Uint8Array>,
    stop: AbortSignal,
  ): Promise<void> {
    const stopped = new Promise<"stopped">((resolve) => {
      stop.addEventListener("abort", () => resolve("stopped"), { once: true });
    });
    // The target's side may break at any time; what it did not take says so.
    writer.closed.catch(() => {});
    const give = async (chunk: Uint8Array): Promise<boolean> => {
      const taken = writer.write(chunk).then(
        () => true,
        () => false,
      );
      const went = await Promise.race([taken, stopped]);
      this.lastTaken = performance.now();
      return went === true;
    };
    for (const chunk of this.kept) {
      if (!(await give(chunk))) return this.abandon(writer);
    }
    this.reader ??= source.getReader();
    while (!this.ended) {
      // Not while the client is waited for: see `Platform.uploadProgress`.
      this.lastTaken = Number.POSITIVE_INFINITY;
      // A read that is under way when the attempt stops is the next one's first.
      this.reading ??= this.reader.read();
      let read: ReadableStreamReadResult<Uint8Array> | "stopped";
      try {
        read = await Promise.race([this.reading, stopped]);
      } catch (error) {
        this.state = "broken";
        this.lastTaken = performance.now();
        await writer.abort(error).catch(() => {});
        return;
      }
      this.lastTaken = performance.now();
      if (read === "stopped") return this.abandon(writer);
      this.reading = undefined;
      if (read.done) {
        this.ended = true;
        break;
      }
      this.keep(read.value);
      if (!(await give(read.value))) return this.abandon(writer);
    }
    await Promise.race([writer.close().catch(() => {}), stopped]);
  }

  private reading: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;

  /** What is handed out counts as taken. */
  private keep(chunk: Uint8Array): void {
    this.keptBytes += chunk.byteLength;
    if (this.keptBytes <= this.limit) {
      this.kept.push(chunk);
      this.state = "replayable";
    } else {
      this.kept.length = 0;
      this.state = "gone";
    }
  }

  private abandon(writer: WritableStreamDefaultWriter<Uint8Array>): void {
    writer.abort(new Error("the attempt was given up")).catch(() => {});
  }
}
