/** The scripts in the documentation, run by pnpm in a clone that it has installed itself. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { freePort } from "../support/port.js";
import { eventually } from "../support/waiting.js";

const ADAPTERS = join(import.meta.dirname, "..", "..");
const PNPM = ["--yes", "--loglevel=error", "pnpm@12.21.0"];

/** What a clone lacks, apart from the engine, which `cargo xtask build --edge` makes. */
const MADE_HERE = ["node_modules", "dist", "dist-node", ".wrangler", "esa-env.js"];

let clone = "";
let cwd = "";

function pnpm(...args: string[]): string {
  return execFileSync("npx", [...PNPM, ...args], { cwd, encoding: "utf8", stdio: "pipe" });
}

before(() => {
  clone = mkdtempSync(join(tmpdir(), "function-fetch-pnpm-"));
  cwd = join(clone, "adapters");
  cpSync(ADAPTERS, cwd, {
    recursive: true,
    filter: (path) => !MADE_HERE.includes(basename(path)),
  });
  pnpm("install", "--no-frozen-lockfile");
});

after(() => {
  rmSync(clone, { recursive: true });
});

/** Starts a script that serves, for as long as the test takes. */
function start(t: TestContext, args: readonly string[], env: NodeJS.ProcessEnv): void {
  const child = spawn("npx", [...PNPM, "run", ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ["ignore", "ignore", "inherit"],
    // It starts child processes.
    detached: true,
  });
  t.after(() => {
    if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
  });
}

const answerOf = (port: number) =>
  eventually("it serves", () => send(port).catch(() => undefined), 60_000);

test("the_deployment_is_built", () => {
  for (const script of ["gen:esa-env", "build", "cf-typegen"]) pnpm("run", script);
  for (const file of ["dist/esa.js", "dist/node/index.js", "worker-configuration.d.ts"]) {
    assert.ok(existsSync(join(cwd, file)), file);
  }
  assert.match(pnpm("run", "deploy", "--dry-run"), /--dry-run: exiting now/);
});

test("the_server_is_built_and_started", async (t) => {
  const origin = await startOrigin(t);
  const port = await freePort();
  pnpm("run", "build:node");
  start(t, ["start:node"], { FETCH_TARGETS: origin.url, HOST: "127.0.0.1", PORT: String(port) });
  assert.equal((await answerOf(port)).body.toString(), "origin");
});

test("the_worker_runs_locally", async (t) => {
  const origin = await startOrigin(t);
  const port = await freePort();
  const target = `FETCH_TARGETS:${origin.url}`;
  start(t, ["dev", "--ip", "127.0.0.1", "--port", String(port), "--var", target], {});
  assert.equal((await answerOf(port)).body.toString(), "origin");
});
