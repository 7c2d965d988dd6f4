/** What an origin received. */

import type { IncomingMessage } from "node:http";
import { type Field, fieldsOf, onlyValue, valuesOf } from "./fields.js";

/** How much of a body is kept. */
const KEPT = 2 * 1024 * 1024;

/** One request as it arrived. */
export class Seen {
  readonly method: string;
  /** The request target, as on the wire. */
  readonly path: string;
  readonly headers: readonly Field[];
  /** How much of the body has arrived. */
  bodyBytes = 0;
  /** The body came to its proper end. */
  complete = false;
  /** The connection was closed before the response was complete. */
  abandoned = false;
  trailers: readonly Field[] = [];
  private readonly chunks: Buffer[] = [];

  constructor(request: IncomingMessage) {
    this.method = request.method ?? "";
    this.path = request.url ?? "";
    this.headers = fieldsOf(request.rawHeaders);
  }

  /** The only value of a header. Several fail the test. */
  header(name: string): string | undefined {
    return onlyValue(this.headers, name);
  }

  values(name: string): string[] {
    return valuesOf(this.headers, name);
  }

  /** What arrived of the body: the first two MiB of it. */
  get body(): Buffer {
    return Buffer.concat(this.chunks);
  }

  /** Reads the request's body to its end, for the record. */
  async drain(request: IncomingMessage): Promise<void> {
    try {
      for await (const chunk of request) this.take(chunk);
      this.trailers = fieldsOf(request.rawTrailers);
      this.complete = request.complete;
    } catch {
      // Broken off: `complete` shows it.
    }
  }

  private take(chunk: Buffer): void {
    if (this.bodyBytes < KEPT) this.chunks.push(chunk.subarray(0, KEPT - this.bodyBytes));
    this.bodyBytes += chunk.byteLength;
  }
}
