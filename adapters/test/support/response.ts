/**
 * Reads an HTTP/1.1 response as on the wire: nothing is normalised, and a
 * broken end is distinguished from a proper one.
 */

import { type Field, onlyValue } from "./fields.js";
import type { Wire } from "./wire.js";

export interface Head {
  readonly status: number;
  readonly reason: string;
  readonly headers: readonly Field[];
}

/** The body of a response, chunk by chunk. */
export interface BodyReader {
  /** The next chunk; nothing at the end. */
  next(): Promise<Buffer | undefined>;
  /** After the end: whether it came too early. */
  readonly broken: boolean;
  /** After the end. */
  readonly trailers: readonly Field[];
}

const LINE_END = "\r\n";

/** Everything before `mark`, or nothing when the other side ends first. */
async function until(wire: Wire, mark: string): Promise<string | undefined> {
  let received: Buffer = Buffer.alloc(0);
  for (;;) {
    const at = received.indexOf(mark);
    if (at >= 0) {
      wire.unread(received.subarray(at + mark.length));
      return received.subarray(0, at).toString("latin1");
    }
    const chunk = await wire.read();
    if (chunk === undefined) {
      wire.unread(received);
      return undefined;
    }
    received = received.byteLength === 0 ? chunk : Buffer.concat([received, chunk]);
  }
}

function parseFields(lines: readonly string[]): Field[] {
  return lines.map((line) => {
    const colon = line.indexOf(":");
    if (colon <= 0) throw new Error(`this is no header field: ${JSON.stringify(line)}`);
    return [line.slice(0, colon), line.slice(colon + 1).trim()];
  });
}

/** The next head, 1xx included; nothing when there is none. */
export async function readHead(wire: Wire): Promise<Head | undefined> {
  const text = await until(wire, LINE_END + LINE_END);
  if (text === undefined) return undefined;
  const [line = "", ...rest] = text.split(LINE_END);
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(line);
  if (match === null) throw new Error(`this is no status line: ${JSON.stringify(line)}`);
  return { status: Number(match[1]), reason: match[2] ?? "", headers: parseFields(rest) };
}

/** The body that belongs to a head (RFC 9112 §6.3). */
export function bodyOf(wire: Wire, method: string, head: Head): BodyReader {
  const { status, headers } = head;
  if (method === "HEAD" || status < 200 || status === 204 || status === 304)
    return new Sized(wire, 0);
  if (onlyValue(headers, "transfer-encoding")?.toLowerCase() === "chunked")
    return new Chunked(wire);
  const length = onlyValue(headers, "content-length");
  return length === undefined ? new UntilClosed(wire) : new Sized(wire, Number(length));
}

class Sized implements BodyReader {
  broken = false;
  readonly trailers = [];
  private readonly wire: Wire;
  private left: number;

  constructor(wire: Wire, length: number) {
    this.wire = wire;
    this.left = length;
  }

  async next(): Promise<Buffer | undefined> {
    if (this.left === 0) return undefined;
    const chunk = await this.wire.read();
    if (chunk === undefined) {
      this.broken = true;
      return undefined;
    }
    const piece = chunk.subarray(0, this.left);
    this.wire.unread(chunk.subarray(piece.byteLength));
    this.left -= piece.byteLength;
    return piece;
  }
}

class Chunked implements BodyReader {
  broken = false;
  trailers: readonly Field[] = [];
  private readonly wire: Wire;
  private ended = false;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  async next(): Promise<Buffer | undefined> {
    if (this.ended) return undefined;
    const line = await until(this.wire, LINE_END);
    if (line === undefined) return this.breakOff();
    const size = Number.parseInt(line, 16);
    if (Number.isNaN(size)) throw new Error(`this is no chunk size: ${JSON.stringify(line)}`);
    if (size === 0) return this.readTrailers();
    const piece = Buffer.alloc(size);
    for (let at = 0; at < size; ) {
      const chunk = await this.wire.read();
      if (chunk === undefined) return this.breakOff();
      const part = chunk.subarray(0, size - at);
      this.wire.unread(chunk.subarray(part.byteLength));
      part.copy(piece, at);
      at += part.byteLength;
    }
    if ((await until(this.wire, LINE_END)) === undefined) return this.breakOff();
    return piece;
  }

  private async readTrailers(): Promise<undefined> {
    const lines: string[] = [];
    for (;;) {
      const line = await until(this.wire, LINE_END);
      if (line === undefined) return this.breakOff();
      if (line === "") break;
      lines.push(line);
    }
    this.ended = true;
    this.trailers = parseFields(lines);
    return undefined;
  }

  private breakOff(): undefined {
    this.ended = true;
    this.broken = true;
    return undefined;
  }
}

class UntilClosed implements BodyReader {
  readonly trailers = [];
  private readonly wire: Wire;

  constructor(wire: Wire) {
    this.wire = wire;
  }

  next(): Promise<Buffer | undefined> {
    return this.wire.read();
  }

  get broken(): boolean {
    return this.wire.end === "reset";
  }
}
