/**
 * A store in a folder, one file for each key: for several processes on one
 * machine, or across restarts. A value is written to a temporary file and then
 * renamed, so that a reader sees the old one or the new one, never a part.
 */

import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { StoreOption } from "../store-option.js";

/** File systems take names of up to 255 bytes; the temporary one is longer. */
const LONGEST_NAME = 200;

/** A store in `folder`, which is created at the first write. */
export function fileStore(folder: string): StoreOption {
  return {
    async get(key) {
      try {
        return await readFile(join(folder, fileName(key)), "utf8");
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    },
    async put(key, value) {
      const place = join(folder, fileName(key));
      const temporary = `${place}.${randomUUID()}.tmp`;
      await mkdir(folder, { recursive: true });
      try {
        await writeFile(temporary, value, { mode: 0o600 });
        await rename(temporary, place);
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
  };
}

/** A name that is safe on every file system. */
function fileName(key: string): string {
  const escaped = encodeURIComponent(key).replaceAll("*", "%2A").replaceAll(".", "%2E");
  if (escaped.length <= LONGEST_NAME) return `${escaped}.json`;
  return `${createHash("sha256").update(key).digest("hex")}.json`;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
