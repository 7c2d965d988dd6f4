/** Connections of the client of Node.js that are kept between requests. */

import { Agent, type ClientRequest, type IncomingMessage } from "node:http";
import { Agent as SecureAgent } from "node:https";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

/**
 * How long an unused connection is kept where its target does not say, ms:
 * Node.js, Apache and uvicorn close theirs after 5 s, and a request that meets
 * the closing is lost.
 */
export const KEEP_ALIVE = 4_000;

/** So much sooner than a target says that it closes a connection, ms. */
export const KEEP_ALIVE_MARGIN = 1_000;

/** RFC 2068 §19.7.1.1, which all still follow. */
const TIMEOUT = /(?:^|[\s,;])timeout=(\d{1,9})/i;

/** For how long each connection may be kept, as its target said last, ms. */
const idleTimes = new WeakMap<Duplex, number>();

/** Takes note of how long the target keeps the connection of this answer. */
export function noteKeepAlive(answer: IncomingMessage): void {
  const said = TIMEOUT.exec(answer.headersDistinct["keep-alive"]?.join() ?? "")?.[1];
  const idle = said === undefined ? KEEP_ALIVE : Number(said) * 1_000 - KEEP_ALIVE_MARGIN;
  idleTimes.set(answer.socket, idle);
}

/** An agent that keeps its sockets for as long as their targets say. */
function keeping<A extends Agent>(agent: A): A {
  const reuseSocket = agent.reuseSocket.bind(agent);
  agent.keepSocketAlive = (stream: Duplex): boolean => {
    const idle = idleTimes.get(stream) ?? KEEP_ALIVE;
    if (idle <= 0) return false;
    const socket = stream as Socket;
    socket.setKeepAlive(true);
    socket.unref();
    // An agent destroys what times out while nobody uses it.
    socket.setTimeout(idle);
    return true;
  };
  agent.reuseSocket = (stream: Duplex, request: ClientRequest): void => {
    (stream as Socket).setTimeout(0);
    reuseSocket(stream, request);
  };
  return agent;
}

/** The connections for requests by the client of Node.js; those of undici are for itself. */
export class KeptConnections {
  private readonly plain = keeping(new Agent({ keepAlive: true }));
  private readonly secure = keeping(new SecureAgent({ keepAlive: true }));

  of(secure: boolean): Agent {
    return secure ? this.secure : this.plain;
  }

  close(): void {
    this.plain.destroy();
    this.secure.destroy();
  }
}
