/**
 * Function Fetch on Workers in figures, each against its bound:
 *
 *     npm run bench:cloudflare
 */

import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { MAX_STARTUP, MAX_UPLOAD } from "../../test/cloudflare/budget.js";
import { bundle } from "../../test/cloudflare/bundle.js";
import { dryRun } from "../../test/cloudflare/wrangler.js";
import { cpu } from "./cpu.js";
import type { Load } from "./load.js";
import { startup } from "./startup.js";

/** CPU per warm request, in that of the bare Worker's. */
const MAX_RATIO = 1.15;

const PAIRS = 40;
const STARTS = 15;

const LOADS: readonly (readonly [string, Load])[] = [
  ["GET", { method: "GET" }],
  ["POST of 1 KiB", { method: "POST", body: "x".repeat(1024) }],
];

const HERE = import.meta.dirname;
const bare = await bundle(join(HERE, "workers", "bare.ts"));
const proxy = await bundle(join(HERE, "..", "..", "src", "cloudflare", "index.ts"));

let failed = false;
function report(what: string, value: string, holds: boolean | undefined, bound: string): void {
  if (holds === false) failed = true;
  const verdict = holds === undefined ? "" : holds ? "ok" : "TOO MUCH";
  console.log(`${what.padEnd(28)} ${value.padEnd(44)} ${bound.padEnd(12)} ${verdict}`);
}

const { total, sizes } = await dryRun();
const parts = [...sizes].map(([name, size]) => `${name.slice(name.lastIndexOf("."))} ${size}`);
report(
  "upload, gzip, bytes",
  `${total} (${parts.join(", ")})`,
  total <= MAX_UPLOAD,
  `<= ${MAX_UPLOAD}`,
);

const origin = fork(join(HERE, "origin.ts"), { execArgv: process.execArgv });
try {
  const [port] = await once(origin, "message");
  const target = `http://127.0.0.1:${port}`;
  const starts = await startup(bare, proxy, target, STARTS);
  report(
    "start-up, CPU ms",
    `+${starts.more.toFixed(1)} (${starts.bare.toFixed(1)} bare, ${starts.proxy.toFixed(1)} proxy)`,
    starts.more <= MAX_STARTUP,
    `<= ${MAX_STARTUP}`,
  );
  for (const [name, load] of LOADS) {
    const costs = await cpu(bare, proxy, target, load, PAIRS);
    const holds = load.method === "GET" ? costs.ratio <= MAX_RATIO : undefined;
    report(
      `CPU per warm ${name}`,
      `${costs.ratio.toFixed(3)} (${costs.bare.toFixed(0)} us bare, ${costs.proxy.toFixed(0)} us proxy)`,
      holds,
      holds === undefined ? "" : `<= ${MAX_RATIO}`,
    );
  }
} finally {
  origin.kill();
}
process.exit(failed ? 1 : 0);
