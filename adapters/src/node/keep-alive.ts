/** Kept-alive connections of the client of `node:http`. */

import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as SecureAgent } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TlsOptions } from "./connecting.js";

/**
 * How long an idle connection is kept where its target does not say, ms: Node.js,
 * Apache and uvicorn close theirs after 5 s, and a request sent at that moment is
 * lost.
 */
export const KEEP_ALIVE = 4_000;

/** How much sooner than the target would close it, ms. */
export const KEEP_ALIVE_MARGIN = 1_000;

/** `Keep-Alive` as in RFC 2068 §19.7.1.1, which servers still follow. */
const TIMEOUT = /(?:^|[\s,;])timeout=(\d{1,9})/i;

/** How long each connection may be kept, as its target said last, ms. */
const idleTimes = new WeakMap<Duplex, number>();

/** Notes how long the target keeps the connection of this response. */
export function noteKeepAlive(response: IncomingMessage): void {
  const said = TIMEOUT.exec(response.headersDistinct["keep-alive"]?.join() ?? "")?.[1];
  const idle = said === undefined ? KEEP_ALIVE : Number(said) * 1_000 - KEEP_ALIVE_MARGIN;
  idleTimes.set(response.socket, idle);
}

/** Makes an agent keep its sockets for as long as their targets say. */
function withKeepAlive<A extends Agent>(agent: A): A {
  const reuseSocket = agent.reuseSocket.bind(agent);
  agent.keepSocketAlive = (stream: Duplex): boolean => {
    const idle = idleTimes.get(stream) ?? KEEP_ALIVE;
    if (idle <= 0) return false;
    const socket = stream as Socket;
    socket.setKeepAlive(true);
    socket.unref();
    // An agent destroys a free socket that times out.
    socket.setTimeout(idle);
    return true;
  };
  agent.reuseSocket = (stream: Duplex, request: ClientRequest): void => {
    (stream as Socket).setTimeout(0);
    reuseSocket(stream, request);
  };
  return agent;
}

/** The agents for requests by the client of `node:http`; undici has its own pools. */
export class KeepAliveAgents {
  private readonly plain = withKeepAlive(new Agent({ keepAlive: true }));
  private readonly secure: SecureAgent;

  constructor(tls: TlsOptions) {
    this.secure = withKeepAlive(new SecureAgent({ ...tls, keepAlive: true }));
  }

  of(secure: boolean): Agent {
    return secure ? this.secure : this.plain;
  }

  close(): void {
    this.plain.destroy();
    this.secure.destroy();
  }
}
