/**
 * A client with one new connection per request and nothing hidden: the request
 * is sent as written, and the response is reported as received.
 */

import { type Field, onlyValue, valuesOf } from "./fields.js";
import { type BodyReader, bodyOf, type Head, readHead } from "./response.js";
import { SOON, within } from "./waiting.js";
import { Wire } from "./wire.js";

export interface RawRequest {
  /** GET unless given. */
  readonly method?: string | undefined;
  /** The request target, written unchanged; `/` unless given. */
  readonly path?: string | undefined;
  /** A `host` is added where there is none. */
  readonly headers?: readonly Field[] | undefined;
  readonly body?: string | Uint8Array | undefined;
  /** Sends the body without a length. */
  readonly chunked?: boolean | undefined;
}

export interface RawResponse extends Head {
  readonly body: Buffer;
  readonly trailers: readonly Field[];
  /** The body ended before its end. */
  readonly broken: boolean;
}

/** A body is sent in chunks of this size, so that one body takes several. */
const PIECE = 16 * 1024;

/** A request whose response is pending or arriving. */
export class Conversation {
  readonly wire: Wire;
  private readonly method: string;
  private headRead: Head | undefined;
  private body: BodyReader | undefined;

  private constructor(wire: Wire, method: string) {
    this.wire = wire;
    this.method = method;
  }

  /** Connects and writes the request's head; a streamed body is written by the test. */
  static async open(port: number, request: RawRequest = {}): Promise<Conversation> {
    const wire = await Wire.connect(port);
    const conversation = new Conversation(wire, request.method ?? "GET");
    await wire.write(headText(port, request));
    return conversation;
  }

  /** Writes a chunk of a chunked body. Whether the other side still takes it. */
  chunk(piece: string | Uint8Array): Promise<boolean> {
    const bytes = Buffer.from(piece);
    const size = `${bytes.byteLength.toString(16)}\r\n`;
    return this.wire.write(Buffer.concat([Buffer.from(size), bytes, Buffer.from("\r\n")]));
  }

  /** Ends a chunked body. */
  async endChunks(trailers: readonly Field[] = []): Promise<void> {
    await this.wire.write(`0\r\n${fieldText(trailers)}\r\n`);
  }

  /** The response's head; 1xx responses before it are skipped. */
  async head(): Promise<Head> {
    while (this.headRead === undefined) {
      const head = await readHead(this.wire);
      if (head === undefined) {
        throw new Error(`there was no answer: the connection was ${this.wire.end ?? "closed"}`);
      }
      if (head.status >= 200 || head.status === 101) this.headRead = head;
    }
    return this.headRead;
  }

  /** The next chunk of the response's body; nothing at its end. */
  async piece(): Promise<Buffer | undefined> {
    this.body ??= bodyOf(this.wire, this.method, await this.head());
    return this.body.next();
  }

  /** Reads the rest of the response and closes. */
  async finish(): Promise<RawResponse> {
    const head = await this.head();
    const pieces: Buffer[] = [];
    for (let piece = await this.piece(); piece !== undefined; piece = await this.piece()) {
      pieces.push(piece);
    }
    this.wire.close();
    const { broken = false, trailers = [] } = this.body ?? {};
    return { ...head, body: Buffer.concat(pieces), broken, trailers };
  }
}

/** Sends a request to 127.0.0.1 and reads the whole response, within `limit` ms. */
export async function send(
  port: number,
  request: RawRequest = {},
  limit = 2 * SOON,
): Promise<RawResponse> {
  const conversation = await Conversation.open(port, request);
  try {
    const work = exchange(conversation, request);
    return await within(
      limit,
      `${request.method ?? "GET"} ${request.path ?? "/"} is answered`,
      work,
    );
  } finally {
    conversation.wire.close();
  }
}

async function exchange(conversation: Conversation, request: RawRequest): Promise<RawResponse> {
  // The response may come before the body is sent.
  const [answer] = await Promise.all([conversation.finish(), writeBody(conversation, request)]);
  return answer;
}

async function writeBody(conversation: Conversation, request: RawRequest): Promise<void> {
  const body = Buffer.from(request.body ?? "");
  for (let at = 0; at < body.byteLength; at += PIECE) {
    const piece = body.subarray(at, at + PIECE);
    const taken = request.chunked ? conversation.chunk(piece) : conversation.wire.write(piece);
    if (!(await taken)) return;
  }
  if (request.chunked) await conversation.endChunks();
}

function headText(port: number, request: RawRequest): string {
  const fields: Field[] = [...(request.headers ?? [])];
  if (valuesOf(fields, "host").length === 0) fields.unshift(["host", `127.0.0.1:${port}`]);
  if (request.chunked) fields.push(["transfer-encoding", "chunked"]);
  else if (request.body !== undefined && onlyValue(fields, "content-length") === undefined) {
    fields.push(["content-length", String(Buffer.byteLength(request.body))]);
  }
  return `${request.method ?? "GET"} ${request.path ?? "/"} HTTP/1.1\r\n${fieldText(fields)}\r\n`;
}

function fieldText(fields: readonly Field[]): string {
  return fields.map(([name, value]) => `${name}: ${value}\r\n`).join("");
}
