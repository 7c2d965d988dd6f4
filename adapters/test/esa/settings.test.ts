/** The sources of settings: the runtime's variables, or the file itself. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { buildWith } from "./built.js";
import { inEach, startRoutine } from "./scene.js";

const ADAPTERS = join(import.meta.dirname, "..", "..");
const BAKED = join(ADAPTERS, "src", "esa-env.js");

inEach("variables_may_come_in_either_order", async (t, runtime) => {
  const origin = await startOrigin(t, { name: "by variable" });
  const env = { FETCH_TARGETS: `http://localhost:${origin.port}` };
  for (const hands of ["context-env", "env-context"] as const) {
    const routine = await startRoutine(t, { runtime, env, hands });
    assert.equal((await send(routine.port)).body.toString(), "by variable");
  }
});

inEach("built_in_settings_apply_where_there_are_no_variables", async (t, runtime) => {
  const origin = await startOrigin(t, { name: "baked" });
  const file = await buildWith({ FETCH_TARGETS: `http://localhost:${origin.port}` });
  const routine = await startRoutine(t, { runtime, file, hands: "nothing" });
  assert.equal((await send(routine.port)).body.toString(), "baked");
});

inEach("variables_override_built_in_settings", async (t, runtime) => {
  const origin = await startOrigin(t, { name: "by variable" });
  const file = await buildWith({ FETCH_TARGETS: "http://nowhere.example", FETCH_EXPLAIN: "true" });
  const env = { FETCH_TARGETS: `http://localhost:${origin.port}` };
  const routine = await startRoutine(t, { runtime, file, env });
  const answer = await send(routine.port);
  assert.equal(answer.body.toString(), "by variable");
  assert.ok(answer.headers.some(([name]) => name.toLowerCase() === "proxy-status"));
});

inEach("without_targets_the_missing_setting_is_reported", async (t, runtime) => {
  const routine = await startRoutine(t, { runtime, hands: "nothing" });
  const answer = await send(routine.port);
  assert.equal(answer.status, 500);
  assert.match(answer.body.toString(), /^Missing env: FETCH_TARGETS/);
});

/** Runs `gen:esa-env` in a separate folder; restores the file that it overwrites. */
function generate(t: TestContext, env: NodeJS.ProcessEnv, dotenv?: string, words: string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), "function-fetch-env-"));
  const before = existsSync(BAKED) ? readFileSync(BAKED) : undefined;
  t.after(() => {
    rmSync(folder, { recursive: true });
    if (before === undefined) rmSync(BAKED, { force: true });
    else writeFileSync(BAKED, before);
  });
  if (dotenv !== undefined) writeFileSync(join(folder, ".env"), dotenv);
  const script = join(ADAPTERS, "scripts", "gen-esa-env.ts");
  const tsx = import.meta.resolve("tsx");
  try {
    const printed = execFileSync(process.execPath, ["--import", tsx, script, ...words], {
      cwd: folder,
      env: { PATH: process.env.PATH, ...env },
      encoding: "utf8",
      stdio: "pipe",
    });
    return { code: 0, printed, baked: readFileSync(BAKED, "utf8") };
  } catch (error) {
    const { status, stderr } = error as { status: number; stderr: string };
    return { code: status, printed: stderr, baked: "" };
  }
}

// These write the same file, one after the other.
test("gen_esa_env", async (t) => {
  await t.test("prefers_the_environment_to_the_file_and_prints_no_values", (t) => {
    const dotenv =
      "FETCH_TARGETS=https://file.example\nFETCH_STATUS_PATH=/s\nFETCH_STATUS_TOKEN=a-secret-of-many-letters\nOTHER=1\n";
    const env = { FETCH_TARGETS: "https://environment.example", ESA_KV_NAMESPACE: "ns" };
    const { code, printed, baked } = generate(t, env, dotenv);
    assert.equal(code, 0);
    const settings = JSON.parse(baked.slice("export const BAKED = ".length).replace(/;\s*$/, ""));
    assert.deepEqual(settings, {
      FETCH_TARGETS: "https://environment.example",
      FETCH_STATUS_PATH: "/s",
      FETCH_STATUS_TOKEN: "a-secret-of-many-letters",
      ESA_KV_NAMESPACE: "ns",
    });
    assert.match(printed, /FETCH_TARGETS/);
    assert.doesNotMatch(printed, /secret|example/);
  });

  await t.test("reports_what_cannot_be_used_and_writes_nothing", (t) => {
    const env = { FETCH_TARGETS: "ftp://x", FETCH_HEDGE_MS: "soon", FETCH_TARGET: "https://a" };
    const { code, printed, baked } = generate(t, env);
    assert.equal(code, 1);
    assert.equal(baked, "");
    assert.match(printed, /Invalid env: FETCH_TARGETS\n.*ftp/);
    assert.match(printed, /FETCH_HEDGE_MS: /);
    assert.match(printed, /FETCH_TARGET: no such setting/);
  });

  await t.test("without_settings_leaves_them_to_the_console", (t) => {
    const { code, printed, baked } = generate(t, {});
    assert.equal(code, 0);
    assert.equal(baked, "export const BAKED = {};\n");
    assert.match(printed, /console/);
  });

  await t.test("builds_in_nothing_with_the_option_empty", (t) => {
    const { code, baked } = generate(t, { FETCH_TARGETS: "https://a.example" }, undefined, [
      "--empty",
    ]);
    assert.equal(code, 0);
    assert.equal(baked, "export const BAKED = {};\n");
  });
});
