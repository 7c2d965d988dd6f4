/**
 * A request by the client of `node:http`, up to its response's head: for a body of
 * unknown length, since undici sends the head of a request only with the first chunk
 * of its body, and no trailers; and for a target whose responses undici's parser
 * refuses.
 */

import { type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import type { Socket } from "node:net";
import type { Sending } from "../driver/platform.js";
import type { Failure } from "../engine/interface.js";
import type { Abortable } from "./attempt.js";
import { AttemptError, type Resend } from "./attempt-error.js";
import type { ClientBody } from "./body.js";
import type { TlsOptions } from "./connecting.js";
import type { UpstreamLimits } from "./connection-pools.js";
import { failureOf, hasConflictingFraming } from "./failures.js";
import type { FieldMap } from "./fields.js";
import { type KeepAliveAgents, noteKeepAlive } from "./keep-alive.js";
import { checkedHead } from "./response-head.js";
import { UpstreamResponse } from "./upstream-response.js";
import { deferWriteErrors } from "./write-errors.js";

export interface Destination {
  readonly origin: string;
  readonly path: string;
  /** Whether it speaks TLS. */
  readonly secure: boolean;
  readonly connectTimeout: number;
  readonly limits: UpstreamLimits;
  readonly tls: TlsOptions;
}

/** The connection that it uses. */
export interface ConnectionOptions {
  /** Whether it needs a new one. */
  readonly fresh: boolean;
  /**
   * Whether the response may have both a `content-length` and a `transfer-encoding`.
   * What follows it on the connection cannot be trusted, so the connection is a new one.
   */
  readonly lenient: boolean;
}

/** What is sent. */
export interface Outgoing {
  readonly method: string;
  /** Names and values alternating. */
  readonly fields: readonly string[];
  readonly body: ClientBody | undefined;
  /** Whether there is a body of unknown length. */
  readonly isStreamed: boolean;
  /** The body's trailers, once it has ended; names and values alternating. */
  readonly trailers: readonly string[];
  /** Called when the whole exchange is over. */
  end(attempt: Abortable): void;
}

export class StreamedAttempt implements Sending<UpstreamResponse>, Abortable {
  readonly result: Promise<UpstreamResponse>;
  private resolve!: (upstream: UpstreamResponse) => void;
  private reject!: (error: AttemptError) => void;
  private readonly secure: boolean;
  private readonly request: ClientRequest;
  private upstream: UpstreamResponse | undefined;
  private socket: Socket | undefined;
  /** The socket's `bytesRead` before this request. */
  private readBefore = 0;
  private connected = false;
  private sent = false;
  private aborted = false;
  private waiter: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(
    outgoing: Outgoing,
    connections: KeepAliveAgents,
    { origin, path, secure, connectTimeout, limits, tls }: Destination,
    { fresh, lenient }: ConnectionOptions,
  ) {
    this.secure = secure;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const { hostname, port } = new URL(origin);
    const isAlone = fresh || lenient;
    this.request = (secure ? requestHttps : requestHttp)({
      // The agents have them already.
      ...(isAlone ? tls : undefined),
      method: outgoing.method,
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      path,
      agent: isAlone ? false : connections.of(secure),
      maxHeaderSize: limits.maxHeadBytes,
      insecureHTTPParser: lenient,
      // Given an array, Node.js adds no fields, not even `host`.
      headers: [
        ...["host", origin.slice(origin.indexOf("//") + 2)],
        ...framingOf(outgoing),
        ...outgoing.fields,
      ],
    });
    // Beyond a limit Node.js drops fields silently; the limit in bytes applies instead.
    this.request.maxHeadersCount = 0;
    this.request
      .on("response", (message) => this.onResponse(message, limits.idleTimeout))
      .on("upgrade", (message, socket) => {
        socket.destroy();
        this.refuse(message.statusCode, "http-protocol-error");
      })
      .on("error", (error) => this.onError(error))
      .on("drain", () => this.waiter?.resolve())
      .on("close", () => {
        this.waiter?.reject(new Error("the target has closed the connection"));
        outgoing.end(this);
      });
    this.connect(connectTimeout, () => {
      this.upload(outgoing).catch((error: Error) => this.request.destroy(error));
    });
  }

  abort(): void {
    this.aborted = true;
    this.request.destroy();
  }

  onDisconnect(): void {
    const error = new Error("the client has disconnected");
    this.aborted = true;
    this.request.destroy(error);
    this.reject(new AttemptError("internal-error", "never", error));
  }

  /** Waits for the connection: before it is established, none of the body is taken. */
  private connect(timeout: number, begin: () => void): void {
    const timer = setTimeout(() => {
      const late = new Error(`no connection within ${timeout} ms`);
      this.request.destroy(Object.assign(late, { code: "ETIMEDOUT" }));
    }, timeout);
    this.request.on("close", () => clearTimeout(timer));
    this.request.on("socket", (socket) => {
      deferWriteErrors(socket);
      const connected = () => {
        clearTimeout(timer);
        this.socket = socket;
        this.readBefore = socket.bytesRead;
        this.connected = true;
        if (!this.request.destroyed) begin();
      };
      // If the target has closed a kept-alive connection, that is seen before anything is sent.
      if (this.request.reusedSocket) setImmediate(connected);
      else socket.once(this.secure ? "secureConnect" : "connect", connected);
    });
  }

  private async upload(outgoing: Outgoing): Promise<void> {
    // The target may respond before it gets any of the body.
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
      if (this.request.destroyed) reject(new Error("the target has closed the connection"));
      else this.waiter = { resolve, reject };
    });
  }

  private onResponse(message: IncomingMessage, idleTimeout: number): void {
    const status = message.statusCode ?? 0;
    const head = checkedHead(status, fieldMap(message.headersDistinct));
    if ("failure" in head) {
      this.refuse(status, head.failure);
      return;
    }
    noteKeepAlive(message);
    const upstream = new UpstreamResponse(status, head.fields, {
      pause: () => message.pause(),
      resume: () => message.resume(),
      abort: (reason) => this.request.destroy(reason),
    });
    this.upstream = upstream;
    const pause = setTimeout(() => {
      // While the client reads nothing, the target cannot send.
      if (message.isPaused()) pause.refresh();
      else this.request.destroy(new Error(`the target sent nothing for ${idleTimeout} ms`));
    }, idleTimeout);
    message
      .on("data", (chunk: Buffer) => {
        pause.refresh();
        upstream.onData(chunk);
      })
      .on("end", () => upstream.onEnd(fieldMap(message.trailersDistinct)))
      .on("close", () => clearTimeout(pause))
      .on("error", (error) => upstream.onError(error));
    this.resolve(upstream);
  }

  /** The response cannot be passed on. */
  private refuse(status: number | undefined, failure: Failure): void {
    const error = new Error(`the target's response cannot be passed on: status ${status}`);
    this.reject(new AttemptError(failure, "never", error));
    this.request.destroy(error);
  }

  private onError(error: Error): void {
    if (this.upstream !== undefined) this.upstream.onError(error);
    else {
      const failure = failureOf(error, this.connected || this.request.reusedSocket, this.secure);
      this.reject(new AttemptError(failure, this.resend(error), error));
    }
  }

  private resend(error: Error): Resend {
    const kept = this.request.reusedSocket;
    if (this.aborted || !(kept || this.connected)) return "never";
    if (!this.sent) return "unsent";
    if (hasConflictingFraming(error)) return "conflicting-framing";
    return kept && this.socket?.bytesRead === this.readBefore ? "stale-connection" : "never";
  }
}

/** The framing fields of the request, where its fields have no `content-length`. */
function framingOf({ method, isStreamed, body, fields }: Outgoing): string[] {
  if (isStreamed) return ["transfer-encoding", "chunked"];
  const says = fields.some((name, at) => at % 2 === 0 && name.toLowerCase() === "content-length");
  if (body !== undefined || says || !/^(?:POST|PUT|PATCH)$/.test(method)) return [];
  return ["content-length", "0"];
}

/** A field that occurs once is a string. */
function fieldMap(distinct: NodeJS.Dict<string[]>): FieldMap {
  const fields: Record<string, string | string[]> = {};
  for (const name of Object.keys(distinct)) {
    const [first = "", ...more] = distinct[name] ?? [];
    fields[name] = more.length === 0 ? first : [first, ...more];
  }
  return fields;
}
