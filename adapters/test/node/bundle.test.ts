/** The server in one file, as `npm run build:node` makes it. */

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { eventually } from "../support/waiting.js";

const ADAPTERS = join(import.meta.dirname, "..", "..");

test("the_server_in_one_file_needs_nothing_else", async (t) => {
  const build = join("scripts", "node-server", "build.ts");
  execFileSync(process.execPath, ["--import", "tsx", build], { cwd: ADAPTERS, stdio: "pipe" });
  const elsewhere = mkdtempSync(join(tmpdir(), "function-fetch-bundle-"));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  // As a module by its name alone: there is no package.json around it.
  const file = join(elsewhere, "node_server.mjs");
  copyFileSync(join(ADAPTERS, "dist-node", "node_server.js"), file);
  const origin = await startOrigin(t);
  const other = await startOrigin(t, { behaviour: { health: { delay: 100 } } });
  const child = spawn(process.execPath, [file], {
    cwd: elsewhere,
    env: { FETCH_TARGETS: `${origin.url}, ${other.url}`, PORT: "0" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  const port = await eventually(
    "it says where it serves",
    () => Number(/:(\d+)$/m.exec(said)?.[1] ?? 0) || undefined,
  );
  const { status, body } = await send(port, { method: "POST", body: "x" });
  assert.deepEqual([status, body.toString()], [200, "origin"]);
});
