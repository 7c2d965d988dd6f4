/** Reads large bodies in large chunks. */

import type { Reader } from "../driver/replay.js";

/** By default the runtime gives 4 KiB at a time, and a chunk costs about the same CPU time whatever its size. */
const CHUNK_BYTES = 64 * 1024;

/** Reuses one buffer (BYOB): a new one for each chunk would pile up until the next garbage collection. */
export function byobReader(source: ReadableStream<Uint8Array>): Reader {
  const reader = source.getReader({ mode: "byob" });
  let memory = new ArrayBuffer(CHUNK_BYTES);
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
