/** The file that is pasted into ESA's console. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { buildForLocal, built, pasted } from "./built.js";
import { inEach, startRoutine } from "./scene.js";

/** With gzip, bytes: docs/decisions/0005-byte-budget.md. Most of the file is the engine. */
const LARGEST = 171_000;

test("the_file_is_small", async () => {
  const size = gzipSync(readFileSync(await pasted({})), { level: 9 }).length;
  assert.ok(size <= LARGEST, `${size} bytes with gzip, ${LARGEST} at most`);
});

for (const [maker, file] of [
  ["ours", () => pasted({})],
  ["esa-cli's", built],
] as const) {
  test(`the_file_asks_for_nothing_that_esa_has_not: ${maker}`, async () => {
    const text = readFileSync(await file(), "utf8");
    for (const words of [
      /WebAssembly/,
      /\beval\b/,
      /new Function\b/,
      /\brequire\b/,
      /\bimport\b/,
      /node:/,
    ]) {
      assert.doesNotMatch(text, words);
    }
    assert.match(text, /export\s*\{[^}]*\bas default\b[^}]*\}/);
    // How a text field handles other characters is not known.
    assert.match(text, /^[\n\t -~]*$/);
  });
}

inEach("the_file_runs_as_it_is_pasted", async (t, runtime) => {
  const origin = await startOrigin(t);
  const file = await pasted({});
  const env = { FETCH_TARGETS: `http://localhost:${origin.port}` };
  const routine = await startRoutine(t, { runtime, file, env });
  assert.equal((await send(routine.port)).status, 200);
});

inEach("the_file_runs_as_the_local_runtime_renames_it", async (t, runtime) => {
  const origin = await startOrigin(t);
  const other = await startOrigin(t);
  const targets = [origin, other].map(({ port }) => `http://localhost:${port}`).join(",");
  const file = await buildForLocal({ FETCH_TARGETS: targets, ESA_KV_NAMESPACE: "ns" });
  // It passes only the request.
  const kv = { namespace: "ns" };
  const routine = await startRoutine(t, {
    runtime,
    file,
    hands: "nothing",
    kv,
    without: ["EdgeKV"],
  });
  assert.equal((await send(routine.port)).status, 200);
  assert.equal((await routine.report()).kv.gets, 1);
});

inEach("a_runtime_without_performance_now_uses_the_wall_clock", async (t, runtime) => {
  const origin = await startOrigin(t);
  const env = { FETCH_TARGETS: `http://localhost:${origin.port}` };
  const routine = await startRoutine(t, { runtime, env, without: ["performance"] });
  assert.equal((await send(routine.port)).status, 200);
});
