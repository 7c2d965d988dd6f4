/** Reserved ports that nothing listens on. */

import { createServer, type Server } from "node:net";

/**
 * Below the range that the kernel assigns (32768 on), so that a port that was
 * closed in order to refuse is not taken a moment later: neither by an outgoing
 * connection, nor by a server that asked for any free port.
 */
const FIRST = 10_000;
const COUNT = 22_000;

/** Prime, so that all ports come before one comes again. */
const STRIDE = 7919;

let next = Math.floor(Math.random() * COUNT);

/** Listens on a port that this process has not used before, on 127.0.0.1. */
export async function listenAnywhere(server: Server): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    next = (next + STRIDE) % COUNT;
    const port = FIRST + next;
    if (await listen(server, port)) return port;
  }
  throw new Error("there is no free port");
}

/** A free port, for a program that takes it a moment later. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  const port = await listenAnywhere(probe);
  await new Promise((resolve) => probe.close(resolve));
  return port;
}

/** Listens on this port of 127.0.0.1; false when another process does. */
export function listen(server: Server, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      server.off("listening", listening);
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    };
    const listening = () => {
      server.off("error", failed);
      resolve(true);
    };
    server.once("error", failed);
    server.once("listening", listening);
    server.listen(port, "127.0.0.1");
  });
}
