/** The runtimes that tests run programs in: those that npm has installed. */

import { readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type TestContext, test } from "node:test";

export const RUNTIMES = ["node", "deno", "bun"] as const;

export type Runtime = (typeof RUNTIMES)[number];

const MODULES = join(import.meta.dirname, "..", "..", "node_modules");

/** The command that runs a script: the script's path comes next. */
export function commandOf(runtime: Runtime): [command: string, ...words: string[]] {
  if (runtime === "node") return [process.execPath];
  if (runtime === "bun") {
    // The program for this machine, which the script of the package `bun` would link.
    const [platform = ""] = readdirSync(join(MODULES, "@oven"));
    return [join(MODULES, "@oven", platform, "bin", "bun")];
  }
  const deno: { runInstall(): string } = createRequire(import.meta.url)("deno/install_api.cjs");
  return [deno.runInstall(), "run", "--quiet", "--allow-all", "--no-config", "--no-lock"];
}

/** Registers a test once for each of the runtimes. */
export function testsIn<R extends string>(runtimes: readonly R[]) {
  return (name: string, body: (t: TestContext, runtime: R) => Promise<void>): void => {
    for (const runtime of runtimes) {
      void test(`${name} (${runtime})`, { timeout: 60_000 }, (t) => body(t, runtime));
    }
  };
}
