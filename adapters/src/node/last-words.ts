/**
 * A target that refuses an upload answers, stops reading and closes: then a write
 * fails while its answer waits to be read, and by itself Node.js lets go of both.
 */

import type { Socket } from "node:net";

/** For how long what there is to read is waited for, ms. */
const LISTEN = 1_000;

const listening = new WeakSet<Socket>();

type Callback = (error?: Error | null) => void;

/** From now on a failed write leaves it to the reading side to end the socket. */
export function hearOut(socket: Socket): void {
  if (listening.has(socket)) return;
  listening.add(socket);
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, callback) => {
    write(chunk, encoding, unlessGone(socket, callback));
  };
  const writev = socket._writev?.bind(socket);
  if (writev === undefined) return;
  socket._writev = (chunks, callback) => writev(chunks, unlessGone(socket, callback));
}

/** A write that meets a closed connection stays unfinished, until the socket is destroyed. */
function unlessGone(socket: Socket, callback: Callback): Callback {
  return (error) => {
    if (!isGone(error)) {
      callback(error);
      return;
    }
    const timer = setTimeout(() => callback(error), LISTEN);
    socket.once("close", () => clearTimeout(timer));
  };
}

function isGone(error: Error | null | undefined): boolean {
  if (!error || !("code" in error)) return false;
  return error.code === "EPIPE" || error.code === "ECONNRESET";
}
