/** Wrangler, as its users call it; it builds what it would upload, and uploads nothing. */

import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";

const ADAPTERS = join(import.meta.dirname, "..", "..");
const WRANGLER = join(ADAPTERS, "node_modules", "wrangler", "bin", "wrangler.js");

export interface Upload {
  /** Wrangler's output. */
  readonly said: string;
  /** The gzipped size of each file that would be uploaded, bytes. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly total: number;
}

/** `wrangler deploy --dry-run` with `wrangler.jsonc`. */
export async function dryRun(): Promise<Upload> {
  const folder = mkdtempSync(join(tmpdir(), "function-fetch-wrangler-"));
  try {
    const words = [WRANGLER, "deploy", "--dry-run", "--outdir", folder];
    const env = { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false", FORCE_COLOR: "0" };
    const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: ADAPTERS, env });
    const files = readdirSync(folder).filter((name) => /\.(js|wasm)$/.test(name));
    const sizes = new Map(
      files.map((name) => [name, gzipSync(readFileSync(join(folder, name)), { level: 9 }).length]),
    );
    const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
    return { said: stdout, sizes, total };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
