/**
 * Function Fetch beside two bare proxies on Node.js, by turns, so that what
 * else the machine does hits all alike: requests per second, and CPU time of
 * the proxy's process per request. Only the ratios mean anything elsewhere.
 *
 *     npm run bench:node            # a minute or so
 *     npm run bench:node -- --check # fails when a ratio misses its bound
 */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/** Inside the package, so that its parts find each other by its name. */
const BUILT = join(import.meta.dirname, "..", "..", "dist-node", "bench");

const ROUNDS = 15;
const SLICE = 1_000;
const CONNECTIONS = 32;

/** The kernel counts CPU time in ticks of 10 ms. */
const TICK = 10;

const NAMES = ["bare-dispatch", "bare-fetch", "ours"] as const;
type Name = (typeof NAMES)[number];

interface Sample {
  /** Requests per second. */
  readonly rate: number;
  /** CPU time of the proxy, µs per request. */
  readonly cpu: number;
}

const children: ChildProcess[] = [];

/** As plain JavaScript: what runs TypeScript on the fly costs something at each closure. */
async function compile(): Promise<void> {
  await build({
    entryPoints: ["origin", "load", ...NAMES].map((name) =>
      join(import.meta.dirname, `${name}.ts`),
    ),
    outdir: BUILT,
    outExtension: { ".js": ".mjs" },
    bundle: true,
    packages: "external",
    platform: "node",
    target: "node22",
    format: "esm",
  });
}

function start(name: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [join(BUILT, `${name}.mjs`), ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  children.push(child);
  return child;
}

/** The first line that a process prints. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    child.stdout?.on("data", (chunk) => {
      text += chunk;
      if (text.includes("\n")) resolve(text.trim());
    });
    child.once("exit", (code) => reject(new Error(`a process ended with ${code}`)));
  });
}

/** Since its start, ms. */
function cpuTime(child: ChildProcess): number {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK;
}

async function measure(proxy: ChildProcess, port: string, ms: number): Promise<Sample> {
  const before = cpuTime(proxy);
  const load = start("load", port, String(CONNECTIONS), String(ms));
  const answers = Number(await firstLine(load));
  return { rate: (answers * 1000) / ms, cpu: ((cpuTime(proxy) - before) * 1000) / answers };
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

async function main(): Promise<boolean> {
  await compile();
  const origins = await Promise.all(
    [start("origin"), start("origin")].map(
      async (child) => `http://127.0.0.1:${await firstLine(child)}`,
    ),
  );
  const proxies = await Promise.all(
    NAMES.map(async (name) => {
      const child = start(name, ...origins);
      return { name, child, port: await firstLine(child) };
    }),
  );
  const samples: Record<Name, Sample[]> = { "bare-dispatch": [], "bare-fetch": [], ours: [] };
  for (const { child, port } of proxies) await measure(child, port, SLICE);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const turn of NAMES.keys()) {
      const proxy = proxies[(turn + round) % proxies.length];
      if (proxy === undefined) continue;
      samples[proxy.name].push(await measure(proxy.child, proxy.port, SLICE));
    }
  }
  return report(samples);
}

/** Compares what was measured in the same round. */
function report(samples: Record<Name, Sample[]>): boolean {
  for (const name of NAMES) {
    const rate = median(samples[name].map((sample) => sample.rate));
    const cpu = median(samples[name].map((sample) => sample.cpu));
    say(
      `${name.padEnd(14)} ${rate.toFixed(0).padStart(6)} requests/s  ${cpu.toFixed(0)} µs CPU each`,
    );
  }
  const ratio = (name: Name, of: (sample: Sample) => number) =>
    median(samples.ours.map((sample, round) => of(sample) / of(samples[name][round] ?? sample)));
  const bounds = [
    ["bare-dispatch", 0.9],
    ["bare-fetch", 2],
  ] as const;
  let met = true;
  for (const [name, bound] of bounds) {
    const rate = ratio(name, (sample) => sample.rate);
    const cpu = ratio(name, (sample) => sample.cpu);
    met &&= rate >= bound;
    say(
      `ours : ${name}  ${rate.toFixed(2)} in requests/s (at least ${bound}), ${cpu.toFixed(2)} in CPU`,
    );
  }
  return met;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

try {
  const met = await main();
  if (process.argv.includes("--check") && !met) process.exitCode = 1;
} finally {
  for (const child of children) child.kill();
}
