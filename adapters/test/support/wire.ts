/** A socket to read from chunk by chunk, which loses nothing when the other side resets. */

import { connect, type Socket } from "node:net";

/** How much may be buffered before the sender has to wait, bytes. */
const HIGH_WATER = 256 * 1024;

export type End = "closed" | "reset";

export class Wire {
  private readonly socket: Socket;
  private readonly chunks: Buffer[] = [];
  private buffered = 0;
  private ended: End | undefined;
  private wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk: Buffer) => {
      this.chunks.push(chunk);
      this.buffered += chunk.byteLength;
      if (this.buffered > HIGH_WATER) socket.pause();
      this.wake?.();
    });
    const end = (how: End) => {
      this.ended ??= how;
      this.wake?.();
    };
    socket.on("end", () => end("closed"));
    socket.on("error", () => end("reset"));
    socket.on("close", () => end("closed"));
  }

  static connect(port: number, host = "127.0.0.1"): Promise<Wire> {
    return new Promise((resolve, reject) => {
      // The other side may close its half while a test still writes.
      const socket = connect({ port, host, allowHalfOpen: true });
      socket.once("error", reject);
      socket.once("connect", () => {
        socket.off("error", reject);
        resolve(new Wire(socket));
      });
    });
  }

  /** How the other side ended, once everything that it sent before is read. */
  get end(): End | undefined {
    return this.buffered === 0 ? this.ended : undefined;
  }

  /** Writes, and waits until the socket takes more. Whether it still does. */
  write(bytes: string | Uint8Array): Promise<boolean> {
    const { socket } = this;
    if (socket.destroyed || !socket.writable) return Promise.resolve(false);
    return new Promise((resolve) => {
      socket.write(bytes, (error) => resolve(!error));
    });
  }

  /** The next bytes, or nothing at the end. */
  async read(): Promise<Buffer | undefined> {
    while (this.chunks.length === 0) {
      if (this.ended !== undefined) return undefined;
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    const chunk = this.chunks.shift();
    this.buffered -= chunk?.byteLength ?? 0;
    if (this.buffered <= HIGH_WATER) this.socket.resume();
    return chunk;
  }

  /** Puts bytes back, to be read again. */
  unread(bytes: Buffer): void {
    if (bytes.byteLength === 0) return;
    this.chunks.unshift(bytes);
    this.buffered += bytes.byteLength;
  }

  /** Ends the writing side. */
  finish(): void {
    this.socket.end();
  }

  close(): void {
    this.socket.destroy();
  }

  /** Disconnects with a reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
