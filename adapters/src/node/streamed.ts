/**
 * A request whose body has no known length, up to its answer's head. undici
 * sends the head of a request with the first piece of its body, and no trailers
 * after the last; the client of Node.js itself does better with what is
 * streamed while the answer is waited for.
 */

import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps, Agent as SecureAgent } from "node:https";
import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Sending } from "../driver/platform.js";
import { Answer } from "./answer.js";
import type { Abortable } from "./attempt.js";
import { failureOf } from "./failures.js";
import type { FieldMap } from "./fields.js";
import type { Inbound } from "./inbound.js";

/** The connections for such requests; those of undici are for itself. */
export class StreamingAgents {
  private readonly plain = new Agent({ keepAlive: true });
  private readonly secure = new SecureAgent({ keepAlive: true });

  of(secure: boolean): Agent {
    return secure ? this.secure : this.plain;
  }

  close(): void {
    this.plain.destroy();
    this.secure.destroy();
  }
}

export interface Destination {
  readonly origin: string;
  readonly path: string;
  /** Whether it speaks TLS. */
  readonly secure: boolean;
  readonly connectTimeout: number;
}

export class StreamedAttempt implements Sending<Answer>, Abortable {
  readonly result: Promise<Answer>;
  private resolve!: (answer: Answer) => void;
  private reject!: (error: AttemptFailed) => void;
  private readonly secure: boolean;
  private readonly request: ClientRequest;
  private answer: Answer | undefined;
  private connected = false;

  constructor(
    inbound: Inbound,
    agents: StreamingAgents,
    { origin, path, secure, connectTimeout }: Destination,
  ) {
    this.secure = secure;
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    const { hostname, port } = new URL(origin);
    this.request = (secure ? requestHttps : requestHttp)({
      method: inbound.method,
      host: hostname.replace(/^\[(.*)\]$/, "$1"),
      port,
      path,
      agent: agents.of(secure),
      // With an array Node.js adds nothing of its own, not even this.
      headers: [
        ...["host", origin.slice(origin.indexOf("//") + 2)],
        ...["transfer-encoding", "chunked"],
        ...inbound.fields,
      ],
    });
    this.request
      .on("response", (message) => this.onResponse(message))
      .on("error", (error) => this.onError(error))
      .on("close", () => inbound.end(this));
    this.connect(connectTimeout, () => {
      this.upload(inbound).catch((error: Error) => this.request.destroy(error));
    });
  }

  abort(): void {
    this.request.destroy();
  }

  leave(): void {
    const error = new Error("the client has gone");
    this.request.destroy(error);
    this.reject(new AttemptFailed("internal-error", error));
  }

  /** Waits for the connection: until it stands, no body is taken. */
  private connect(timeout: number, begin: () => void): void {
    const timer = setTimeout(() => {
      const late = new Error(`no connection within ${timeout} ms`);
      this.request.destroy(Object.assign(late, { code: "ETIMEDOUT" }));
    }, timeout);
    this.request.on("close", () => clearTimeout(timer));
    this.request.on("socket", (socket) => {
      const connected = () => {
        clearTimeout(timer);
        this.connected = true;
        begin();
      };
      if (this.request.reusedSocket) connected();
      else socket.once(this.secure ? "secureConnect" : "connect", connected);
    });
  }

  private async upload(inbound: Inbound): Promise<void> {
    // The target may have something to say before it gets any of the body.
    this.request.flushHeaders();
    for await (const chunk of inbound.body?.forAttempt() ?? []) {
      if (!this.request.write(chunk)) await this.drained();
    }
    const fields = inbound.trailers;
    const pairs: [string, string][] = [];
    for (let at = 0; at + 1 < fields.length; at += 2) {
      pairs.push([fields[at] as string, fields[at + 1] as string]);
    }
    this.request.addTrailers(pairs);
    this.request.end();
  }

  private drained(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.request.once("drain", resolve);
      this.request.once("close", () => reject(new Error("the target takes no more")));
    });
  }

  private onResponse(message: IncomingMessage): void {
    const answer = new Answer(message.statusCode ?? 0, fieldMap(message.headersDistinct), {
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

  private onError(error: Error): void {
    if (this.answer !== undefined) this.answer.onError(error);
    else this.reject(new AttemptFailed(failureOf(error, this.connected, this.secure), error));
  }
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
