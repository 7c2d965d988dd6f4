/** The deployment to Cloudflare, as far as it goes without an account. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
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
    // The example's bindings fit the types of the package.
    const worker = join(folder, "worker.ts");
    writeFileSync(
      worker,
      `import type { Bindings } from "${join(ADAPTERS, "src", "cloudflare", "bindings.js")}";
       declare const env: Env;
       export const bindings: Bindings = env;
       // @ts-expect-error: no setting is an object
       export const odd: Bindings = { FETCH_TARGETS: { a: 1 } };
      `,
    );
    const tsc = join(ADAPTERS, "node_modules", ".bin", "tsc");
    const workers = join(ADAPTERS, "node_modules", "@cloudflare", "workers-types");
    const options = ["--strict", "--noEmit", "--skipLibCheck", "--module", "NodeNext"];
    const language = ["--target", "ES2023", "--lib", "ES2023", "--types", workers];
    execFileSync(tsc, [...options, ...language, file, worker], {
      cwd: folder,
      stdio: "pipe",
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
