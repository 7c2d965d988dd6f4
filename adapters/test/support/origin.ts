/** A real HTTP/1.1 server that behaves as a test says, and can die and come back on its port. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { TestContext } from "node:test";
import type { Answer, Behaviour } from "./behaviour.js";
import type { Certificate } from "./certificate.js";
import { listen, listenAnywhere } from "./port.js";
import { give } from "./responding.js";
import { Seen } from "./seen.js";

export interface OriginOptions {
  /** The body of its responses, unless they say otherwise. */
  readonly name?: string;
  readonly behaviour?: Behaviour;
  /** Which requests are probes: by default, those with Function Fetch's user agent. */
  readonly isProbe?: (request: IncomingMessage) => boolean;
  /** Speaks TLS. */
  readonly certificate?: Certificate;
}

/** An origin that ends with the test. */
export async function startOrigin(t: TestContext, options: OriginOptions = {}): Promise<Origin> {
  const origin = await Origin.start(options);
  t.after(() => origin.close());
  return origin;
}

export class Origin {
  readonly name: string;
  /** The requests other than probes, in the order in which they arrived. */
  readonly seen: Seen[] = [];
  readonly probes: Seen[] = [];
  /** Connections accepted so far. */
  connections = 0;
  private readonly options: OriginOptions;
  private readonly isProbe: (request: IncomingMessage) => boolean;
  private behaviour: Behaviour;
  private answered = 0;
  private server: Server | undefined;
  private bound = 0;

  private constructor(options: OriginOptions) {
    this.options = options;
    this.name = options.name ?? "origin";
    this.behaviour = options.behaviour ?? {};
    this.isProbe = options.isProbe ?? signedAsProbe;
  }

  static async start(options: OriginOptions = {}): Promise<Origin> {
    const origin = new Origin(options);
    const server = origin.makeServer();
    origin.bound = await listenAnywhere(server);
    origin.server = server;
    if (origin.behaviour.dead) await origin.close();
    return origin;
  }

  get port(): number {
    return this.bound;
  }

  /** Host and port. */
  get authority(): string {
    return `127.0.0.1:${this.bound}`;
  }

  get url(): string {
    return `${this.options.certificate === undefined ? "http" : "https"}://${this.authority}`;
  }

  /** From now on it does this; its responses start again from the first. */
  async behave(behaviour: Behaviour): Promise<void> {
    this.behaviour = behaviour;
    this.answered = 0;
    if (behaviour.dead) await this.close();
    else if (this.server === undefined) {
      const server = this.makeServer();
      if (!(await listen(server, this.bound))) {
        throw new Error(`somebody else took port ${this.bound} meanwhile`);
      }
      this.server = server;
    }
  }

  /** Closes its port and every connection. */
  async close(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    if (server === undefined) return;
    const closed = new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
    server.closeAllConnections();
    await closed;
  }

  private makeServer(): Server {
    const handle = (request: IncomingMessage, response: ServerResponse) => {
      void this.handle(request, response);
    };
    const { certificate } = this.options;
    const server =
      certificate === undefined
        ? createServer(handle)
        : createTlsServer({ key: certificate.key, cert: certificate.cert }, handle);
    // A pooled connection stays until the origin dies: the test decides when it closes.
    server.keepAliveTimeout = 0;
    server.requestTimeout = 0;
    server.on("connection", () => {
      this.connections += 1;
    });
    return server;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const seen = new Seen(request);
    response.on("close", () => {
      seen.abandoned = !response.writableFinished;
    });
    // The client may disconnect at any time; `seen` records that.
    request.on("error", () => {});
    response.on("error", () => {});
    const probe = this.isProbe(request);
    (probe ? this.probes : this.seen).push(seen);
    const { health, answers = [] } = this.behaviour;
    if (!probe && typeof answers === "function") {
      answers(request, response, seen);
      return;
    }
    const answer =
      probe || typeof answers === "function" ? (health ?? {}) : this.nextAnswer(answers);
    await give(answer, this.name, request, response, seen);
    if (answer.readBody === false) await seen.drain(request);
  }

  private nextAnswer(answers: readonly Answer[]): Answer {
    const answer = answers[Math.min(this.answered, answers.length - 1)];
    this.answered += 1;
    return answer ?? {};
  }
}

/** By its user agent, of any version. */
function signedAsProbe(request: IncomingMessage): boolean {
  return request.headers["user-agent"]?.startsWith("function-fetch/") === true;
}
