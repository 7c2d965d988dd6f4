/** The way to Cloudflare, as far as it goes without an account. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { dryRun } from "./wrangler.js";

const ADAPTERS = join(import.meta.dirname, "..", "..");
const WRANGLER = join(ADAPTERS, "node_modules", "wrangler", "bin", "wrangler.js");

test("wrangler_makes_a_script_and_the_engine_of_the_example", async () => {
  const { said, sizes } = await dryRun();
  assert.match(said, /env\.FASTEST_KV\b.*KV Namespace/);
  assert.match(said, /env\.FETCH_TARGETS\b/);
  const kinds = [...sizes.keys()].map((name) => name.slice(name.lastIndexOf(".")));
  assert.deepEqual(kinds.toSorted(), [".js", ".wasm"]);
});

test("wrangler_types_knows_the_bindings_of_the_example", () => {
  const folder = mkdtempSync(join(tmpdir(), "function-fetch-types-"));
  try {
    const file = join(folder, "worker-configuration.d.ts");
    const env = { ...process.env, CI: "1", WRANGLER_SEND_METRICS: "false" };
    const words = [WRANGLER, "types", file, "--include-runtime=false"];
    execFileSync(process.execPath, words, { cwd: ADAPTERS, env, stdio: "pipe" });
    const types = readFileSync(file, "utf8");
    assert.match(types, /FASTEST_KV: KVNamespace;/);
    assert.match(types, /FETCH_TARGETS: \[/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
