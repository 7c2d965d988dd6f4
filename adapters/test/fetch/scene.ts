/** The fetch entry served by Node.js, Deno and Bun, each in a process that ends with its test. */

import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import type { Event, Options } from "../../src/fetch/index.js";
import { bundledOnce } from "../support/bundle.js";
import type { Origin } from "../support/origin.js";
import { commandOf, RUNTIMES, type Runtime, testsIn } from "../support/runtimes.js";
import { eventually } from "../support/waiting.js";

/** How long a machine under load may take to start a process, ms. */
const START = 30_000;

export interface RunningProxy {
  readonly port: number;
  /** Its notices so far. */
  readonly said: readonly Event[];
}

/** The same test in each runtime. */
export const inEach = testsIn(RUNTIMES);

/** A proxy whose targets are these origins. `hooks`: those of `runtime/main.ts`. */
export async function proxyTo(
  t: TestContext,
  runtime: Runtime,
  origins: readonly Origin[],
  options: Options & { readonly hooks?: boolean } = {},
): Promise<RunningProxy> {
  const targets = origins.map(({ url }) => url);
  const [command, ...words] = commandOf(runtime);
  const given = JSON.stringify({ targets, ...options });
  const child = spawn(command, [...words, await program(), given], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  t.after(() => child.kill("SIGKILL"));
  let port: number | undefined;
  let errors = "";
  let ended = false;
  const said: Event[] = [];
  child.stderr.on("data", (text) => {
    errors += text;
  });
  child.once("exit", () => {
    ended = true;
  });
  createInterface({ input: child.stdout }).on("line", (text) => {
    // What the runtime itself has to say is no JSON.
    const line = text.startsWith("{") ? JSON.parse(text) : { other: text };
    if (line.other !== undefined) errors += text;
    else if (line.said !== undefined) said.push(line.said);
    else port = line.port;
  });
  await eventually(
    "the runtime serves",
    () => {
      if (ended) throw new Error(`it ended: ${errors}`);
      return port !== undefined;
    },
    START,
  );
  return { port: port ?? 0, said };
}

/** `runtime/main.ts` for all runtimes. */
const program = bundledOnce(join(import.meta.dirname, "runtime", "main.ts"));
