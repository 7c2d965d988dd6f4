/**
 * A request by the client of Node.js itself, up to its answer's head: one whose
 * body has no known length, since undici sends the head of a request with the
 * first piece of its body, and no trailers after the last; and one to a target
 * whose answers undici's parser does not take.
 */

import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import type { Sending } from "../driver/platform.js";
import type { Failure } from "../engine/interface.js";
import { Answer } from "./answer.js";
import type { Abortable } from "./attempt.js";
import type { ClientBody } from "./body.js";
import { failureOf, isFramedTwice } from "./failures.js";
import type { FieldMap } from "./fields.js";
import { received } from "./heads.js";
import { type KeptConnections, noteKeepAlive } from "./kept.js";
import { hearOut } from "./last-words.js";
import { type Again, Lost } from "./lost.js";

export interface Destination {
  readonly origin: string;
  readonly path: string;
  /** Whether it speaks TLS. */
  readonly secure: boolean;
  readonly connectTimeout: number;
  /** Of its answer, bytes. */
  readonly longestHead: number;
}

/** What such a request is, and how it goes. */
export interface Manner {
  /** Over a connection of its own. */
  readonly alone: boolean;
  /**
   * Whether an answer may be framed twice. What comes after it cannot be
   * trusted, so that such a request has a connection of its own.
   */
  readonly framedTwice: boolean;
}

/** What is sent. */
export interface Outgoing {
  readonly method: string;
  /** Names and values by turns. */
  readonly fields: readonly string[];
  readonly body: ClientBody | undefined;
  /** Whether there is a body whose length nobody has said. */
  readonly isStreamed: boolean;
  /** Those of the body, once it has ended; names and values by turns. */
  readonly trailers: readonly string[];
  /** Hears of the end of the whole exchange. */
  end(attempt: Abortable): void;
}

export class StreamedAttempt implements Sending<Answer>, Abortable {
  readonly result: Promise<Answer>;
  private resolve!: (answer: Answer) => void;
  private reject!: (error: Lost) => void;
  private readonly secure: boolean;
  private readonly request: ClientRequest;
  private answer: Answer | undefined;
  private socket: Socket | undefined;
  /** Of the socket, before this request. */
  private readBefore = 0;
  private connected = false;
  private sent = false;
  private given = false;
  private waiter: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(
    outgoing: Outgoing,
    connections: KeptConnections,
    { origin, path, secure, connectTimeout, longestHead }: Destination,
    { alone, framedTwice }: Manner,
  ) {
    this.secure = secure;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const { hostname, port } = new URL(origin);
    this.request = (secure ? requestHttps : requestHttp)({
      method: outgoing.method,
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      path,
      agent: alone || framedTwice ? false : connections.of(secure),
      maxHeaderSize: longestHead,
      insecureHTTPParser: framedTwice,
      // With an array Node.js adds nothing of its own, not even this.
      headers: [
        ...["host", origin.slice(origin.indexOf("//") + 2)],
        ...framingOf(outgoing),
        ...outgoing.fields,
      ],
    });
    // Beyond its limit Node.js drops fields without a word; that of their bytes holds.
    this.request.maxHeadersCount = 0;
    this.request
      .on("response", (message) => this.onResponse(message))
      .on("upgrade", (message, socket) => {
        socket.destroy();
        this.refuse(message.statusCode, "http-protocol-error");
      })
      .on("error", (error) => this.onError(error))
      .on("drain", () => this.waiter?.resolve())
      .on("close", () => {
        this.waiter?.reject(new Error("the target takes no more"));
        outgoing.end(this);
      });
    this.connect(connectTimeout, () => {
      this.upload(outgoing).catch((error: Error) => this.request.destroy(error));
    });
  }

  abort(): void {
    this.given = true;
    this.request.destroy();
  }

  leave(): void {
    const error = new Error("the client has gone");
    this.given = true;
    this.request.destroy(error);
    this.reject(new Lost("internal-error", "never", error));
  }

  /** Waits for the connection: until it stands, no body is taken. */
  private connect(timeout: number, begin: () => void): void {
    const timer = setTimeout(() => {
      const late = new Error(`no connection within ${timeout} ms`);
      this.request.destroy(Object.assign(late, { code: "ETIMEDOUT" }));
    }, timeout);
    this.request.on("close", () => clearTimeout(timer));
    this.request.on("socket", (socket) => {
      hearOut(socket);
      const connected = () => {
        clearTimeout(timer);
        this.socket = socket;
        this.readBefore = socket.bytesRead;
        this.connected = true;
        if (!this.request.destroyed) begin();
      };
      // What the target did to a kept connection meanwhile is heard before anything is sent.
      if (this.request.reusedSocket) setImmediate(connected);
      else socket.once(this.secure ? "secureConnect" : "connect", connected);
    });
  }

  private async upload(outgoing: Outgoing): Promise<void> {
    // The target may have something to say before it gets any of the body.
    this.sent = true;
    this.request.flushHeaders();
    for await (const chunk of outgoing.body?.forAttempt() ?? []) {
      if (!this.request.write(chunk)) await this.drained();
    }
    const fields = outgoing.trailers;
    const pairs: [string, string][] = [];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      pairs.push([fields[at] as string, fields[at + 1] as string]);
    }
    this.request.addTrailers(pairs);
    this.request.end();
  }

  private drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.request.destroyed) reject(new Error("the target takes no more"));
      else this.waiter = { resolve, reject };
    });
  }

  private onResponse(message: IncomingMessage): void {
    const status = message.statusCode ?? 0;
    const head = received(status, fieldMap(message.headersDistinct));
    if ("failure" in head) {
      this.refuse(status, head.failure);
      return;
    }
    noteKeepAlive(message);
    const answer = new Answer(status, head.fields, {
      pause: () => message.pause(),
      resume: () => message.resume(),
      abort: (reason) => this.request.destroy(reason),
    });
    this.answer = answer;
    message
      .on("data", (chunk: Buffer) => answer.onData(chunk))
      .on("end", () => answer.onEnd(fieldMap(message.trailersDistinct)))
      .on("error", (error) => answer.onError(error));
    this.resolve(answer);
  }

  /** It answered what cannot be handed on. */
  private refuse(status: number | undefined, failure: Failure): void {
    const error = new Error(`the target's answer cannot be handed on: status ${status}`);
    this.reject(new Lost(failure, "never", error));
    this.request.destroy(error);
  }

  private onError(error: Error): void {
    if (this.answer !== undefined) this.answer.onError(error);
    else {
      const failure = failureOf(error, this.connected || this.request.reusedSocket, this.secure);
      this.reject(new Lost(failure, this.again(error), error));
    }
  }

  private again(error: Error): Again {
    const kept = this.request.reusedSocket;
    if (this.given || !(kept || this.connected)) return "never";
    if (!this.sent) return "unsent";
    if (isFramedTwice(error)) return "framed-twice";
    return kept && this.socket?.bytesRead === this.readBefore ? "kept" : "never";
  }
}

/** How a request says where it ends. Its own `content-length` is among its fields. */
function framingOf({ method, isStreamed, body, fields }: Outgoing): string[] {
  if (isStreamed) return ["transfer-encoding", "chunked"];
  const says = fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === "content-length");
  if (body !== undefined || says || !/^(?:POST|PUT|PATCH)$/.test(method)) return [];
  return ["content-length", "0"];
}

/** A field that came once is a string. */
function fieldMap(distinct: NodeJS.Dict<string[]>): FieldMap {
  const fields: Record<string, string | string[]> = {};
  for (const name of Object.keys(distinct)) {
    const [first = "", ...more] = distinct[name] ?? [];
    fields[name] = more.length === 0 ? first : [first, ...more];
  }
  return fields;
}
