/** A server around the handler, with a graceful shutdown. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type ClientLimits, ConnectionLimit, WriteTimeout } from "./client-limits.js";
import type { Options } from "./edge.js";
import { createNodeHandler, type NodeHandler } from "./handler.js";

/** While draining: how often idle connections are closed, ms. */
const SWEEP = 100;

export interface Listening {
  /** 0: any free one. */
  readonly port: number;
  readonly host: string;
  readonly clients: ClientLimits;
}

export class EdgeServer {
  private readonly handler: NodeHandler;
  private readonly server: Server;
  private readonly connections: ConnectionLimit;
  private readonly writes: WriteTimeout;
  private draining = false;

  private constructor(options: Options, { clients }: Listening) {
    this.handler = createNodeHandler({ ...options, clientBodyTimeout: clients.bodyTimeout });
    const serverOptions = {
      maxHeaderSize: clients.maxHeaderBytes,
      headersTimeout: clients.headerTimeout,
      connectionsCheckingInterval: Math.min(1_000, Math.ceil(clients.headerTimeout / 4)),
      keepAliveTimeout: clients.idleTimeout,
      // A long upload is legitimate: what is limited is the pause between two of its chunks.
      requestTimeout: 0,
    };
    this.server = createServer(serverOptions, (request, response) => this.serve(request, response));
    // One more, by which it shows that there are too many: Node.js drops those beyond silently.
    this.server.maxHeadersCount = clients.maxHeaderFields + 1;
    this.connections = new ConnectionLimit(clients.maxConnections);
    this.writes = new WriteTimeout(this.server, clients.writeTimeout, clients.idleTimeout);
    this.server.on("connection", (socket) => this.connections.admit(socket));
    this.server.on("upgrade", (request, socket: Socket, head) => {
      if (this.connections.refuses(socket)) return;
      this.writes.release(socket);
      void this.handler.upgrade(request, socket, head);
    });
  }

  /** Rejects with the system's error when it cannot listen there. */
  static async start(options: Options, listening: Listening): Promise<EdgeServer> {
    const { port, host } = listening;
    const edge = new EdgeServer(options, listening);
    await new Promise<void>((resolve, reject) => {
      edge.server.once("error", reject);
      edge.server.listen(port, host, () => {
        edge.server.off("error", reject);
        resolve();
      });
    });
    return edge;
  }

  /** Where it listens. */
  get url(): string {
    // An object, since it listens on TCP.
    const { address, family, port } = this.server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  /**
   * Accepts no more connections and waits for the requests under way, for at most
   * `timeout` ms; then closes what is left. WebSockets are closed at once, since
   * they may never end.
   */
  async drain(timeout: number): Promise<void> {
    this.draining = true;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.handler.closeWebSockets();
    // Kept-alive connections become idle one by one.
    const sweep = setInterval(() => this.server.closeIdleConnections(), SWEEP);
    const force = setTimeout(() => this.server.closeAllConnections(), timeout);
    await closed;
    clearInterval(sweep);
    clearTimeout(force);
    await this.handler.close();
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    if (this.connections.refuses(request.socket)) return;
    this.writes.watch(response);
    if (this.draining) response.shouldKeepAlive = false;
    void this.handler(request, response);
  }
}
