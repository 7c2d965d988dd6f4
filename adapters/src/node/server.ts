/** A server of its own, with a handler and an end that lets clients finish. */

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Options } from "./edge.js";
import { createNodeHandler, type NodeHandler } from "./handler.js";
import { LONGEST_HEAD } from "./heads.js";

/** While it drains: how often connections that have become idle are closed, ms. */
const SWEEP = 100;

export interface Listening {
  /** 0: any free one. */
  readonly port: number;
  readonly host: string;
  /** After so long without a request a client's connection is closed, ms. */
  readonly idleTimeout: number;
}

export class EdgeServer {
  private readonly handler: NodeHandler;
  private readonly server: Server;
  private draining = false;

  private constructor(options: Options, { idleTimeout }: Listening) {
    this.handler = createNodeHandler(options);
    const maxHeaderSize = options.maxHeadBytes ?? LONGEST_HEAD;
    const given = { keepAliveTimeout: idleTimeout, maxHeaderSize };
    this.server = createServer(given, (request, response) => this.serve(request, response));
    // Their bytes are bounded; of too many Node.js would drop some without a word.
    this.server.maxHeadersCount = 0;
    this.server.on("upgrade", (request, socket, head) => {
      void this.handler.upgrade(request, socket, head);
    });
    // The targets' and the client's own limits hold; a long upload is none of our business.
    this.server.requestTimeout = 0;
  }

  /** Rejects with the system's error when the address cannot be had. */
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
    // It listens on TCP, and then Node.js gives an object.
    const { address, family, port } = this.server.address() as AddressInfo;
    return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  /**
   * Takes no more connections and waits for the requests that are under way,
   * for at most `timeout` ms; then ends what is left. WebSockets have no end of
   * their own to wait for.
   */
  async drain(timeout: number): Promise<void> {
    this.draining = true;
    const closed = new Promise<void>((resolve) => {
      this.server.close(() => resolve());
    });
    this.handler.closeWebSockets();
    // A kept connection becomes idle at its own time.
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
