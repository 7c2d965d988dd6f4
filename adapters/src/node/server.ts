/** A server around the handler, with a graceful shutdown. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Options } from "./edge.js";
import { createNodeHandler, type NodeHandler } from "./handler.js";
import { MAX_HEAD_BYTES } from "./response-head.js";

/** While draining: how often idle connections are closed, ms. */
const SWEEP = 100;

export interface Listening {
  /** 0: any free one. */
  readonly port: number;
  readonly host: string;
  /** How long a client's connection may be idle between requests, ms. */
  readonly idleTimeout: number;
}

export class EdgeServer {
  private readonly handler: NodeHandler;
  private readonly server: Server;
  private draining = false;

  private constructor(options: Options, { idleTimeout }: Listening) {
    this.handler = createNodeHandler(options);
    const maxHeaderSize = options.maxHeadBytes ?? MAX_HEAD_BYTES;
    const serverOptions = { keepAliveTimeout: idleTimeout, maxHeaderSize };
    this.server = createServer(serverOptions, (request, response) => this.serve(request, response));
    // Their bytes are bounded instead: beyond this limit Node.js would drop fields silently.
    this.server.maxHeadersCount = 0;
    this.server.on("upgrade", (request, socket, head) => {
      void this.handler.upgrade(request, socket, head);
    });
    // A long upload is legitimate; the limits of targets and clients apply.
    this.server.requestTimeout = 0;
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
    if (this.draining) response.shouldKeepAlive = false;
    void this.handler(request, response);
  }
}
