/** Limits on the clients of a server: connections, memory and time. */

import type { Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** Those of `function-fetch serve`, by the same names. */
export interface ClientLimits {
  /** Connections at the same time; the next one gets 503 and is closed. */
  readonly maxConnections: number;
  /** The size of a request's head; a larger one gets 431. */
  readonly maxHeaderBytes: number;
  /** The fields of a request's head; more get 431. */
  readonly maxHeaderFields: number;
  /** For a request's head, ms. */
  readonly headerTimeout: number;
  /** How long a connection without a request is kept, ms. */
  readonly idleTimeout: number;
  /** How long the next chunk of a request's body is waited for, ms. */
  readonly bodyTimeout: number;
  /** How long a client may read nothing of a response, ms. */
  readonly writeTimeout: number;
}

const TOO_MANY = "too many connections\n";

const REFUSAL = [
  "HTTP/1.1 503 Service Unavailable",
  "content-type: text/plain; charset=utf-8",
  `content-length: ${TOO_MANY.length}`,
  "retry-after: 1",
  "connection: close",
  "",
  TOO_MANY,
].join("\r\n");

/** How long a client that got the refusal may take to close, ms. */
const REFUSAL_TIME = 1_000;

/** Refused connections that get a response at the same time; more are closed without one. */
const REFUSALS = 256;

/** Counts the connections, and refuses those beyond the limit. */
export class ConnectionLimit {
  private connections = 0;
  private readonly refused = new Set<Socket>();

  constructor(private readonly most: number) {}

  /** A new connection. */
  admit(socket: Socket): void {
    if (this.connections < this.most) {
      this.connections += 1;
      socket.once("close", () => {
        this.connections -= 1;
      });
    } else if (this.refused.size < REFUSALS) {
      this.refuse(socket);
    } else {
      socket.destroy();
    }
  }

  /** Whether a request comes by a connection that was refused: it gets no other response. */
  refuses(socket: Socket): boolean {
    return this.refused.has(socket);
  }

  private refuse(socket: Socket): void {
    this.refused.add(socket);
    const timer = setTimeout(() => socket.destroy(), REFUSAL_TIME);
    socket.once("close", () => {
      clearTimeout(timer);
      this.refused.delete(socket);
    });
    socket.end(REFUSAL);
  }
}

/**
 * Ends connections whose client reads nothing. Node.js reports those on which nothing
 * has moved for a while, which may also be those that wait for a target.
 */
export class WriteTimeout {
  /** By their connection. */
  private readonly responses = new WeakMap<Socket, ServerResponse>();

  constructor(
    server: Server,
    private readonly timeout: number,
    private readonly idleTimeout: number,
  ) {
    server.timeout = timeout;
    server.on("timeout", (socket: Socket) => this.onSilence(socket));
  }

  /** A response has begun, or will. */
  watch(response: ServerResponse): void {
    const { socket } = response;
    if (socket !== null) this.responses.set(socket, response);
  }

  /** The connection is no longer one of HTTP. */
  release(socket: Socket): void {
    socket.setTimeout(0);
  }

  private onSilence(socket: Socket): void {
    const response = this.responses.get(socket);
    if (socket.writableLength > 0) {
      socket.destroy();
    } else if (response !== undefined && !response.closed) {
      // The target, or the body of the request, is waited for: both have limits of their own.
      socket.setTimeout(this.timeout);
    } else if (response !== undefined || socket.timeout === this.idleTimeout) {
      socket.destroy();
    } else {
      // Without a request so far: the limit is that of its head.
      socket.setTimeout(this.idleTimeout);
    }
  }
}
