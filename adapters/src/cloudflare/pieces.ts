/** Large bodies, read in large pieces. */

import type { Reader } from "../driver/replay.js";

/** By itself the runtime gives 4 KiB at a time, and each piece costs about as much CPU, however long it is. */
const PIECE = 64 * 1024;

/** Reads into the same memory again and again: what is left to the garbage collector piles up. */
export function largePieces(source: ReadableStream<Uint8Array>): Reader {
  const reader = source.getReader({ mode: "byob" });
  let memory = new ArrayBuffer(PIECE);
  return {
    async read() {
      const result = await reader.read(new Uint8Array(memory));
      if (result.done) return { done: true, value: undefined };
      memory = result.value.buffer;
      return { done: false, value: result.value };
    },
    releaseLock: () => reader.releaseLock(),
  };
}
