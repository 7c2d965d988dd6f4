/**
 * A target that refuses an upload responds, stops reading and closes. Then a write
 * fails while the response is still unread, and by default Node.js discards both.
 */

import type { Socket } from "node:net";

/** How long a failed write is held back for what can still be read, ms. */
const DEFERRED_FOR = 1_000;

const deferring = new WeakSet<Socket>();

type Callback = (error?: Error | null) => void;

/** From now on, after a failed write, the reading side ends the socket. */
export function deferWriteErrors(socket: Socket): void {
  if (deferring.has(socket)) return;
  deferring.add(socket);
  const write = socket._write.bind(socket);
  socket._write = (chunk, encoding, callback) => {
    write(chunk, encoding, unlessClosed(socket, callback));
  };
  const writev = socket._writev?.bind(socket);
  if (writev === undefined) return;
  socket._writev = (chunks, callback) => writev(chunks, unlessClosed(socket, callback));
}

/** A write to a closed connection stays pending until the socket is destroyed. */
function unlessClosed(socket: Socket, callback: Callback): Callback {
  return (error) => {
    if (!isClosed(error)) {
      callback(error);
      return;
    }
    const timer = setTimeout(() => callback(error), DEFERRED_FOR);
    socket.once("close", () => clearTimeout(timer));
  };
}

function isClosed(error: Error | null | undefined): boolean {
  if (!error || !("code" in error)) return false;
  return error.code === "EPIPE" || error.code === "ECONNRESET";
}
