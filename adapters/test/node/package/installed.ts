/** The package as `npm pack` makes it, installed elsewhere, and programs that use it there. */

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, type TestContext } from "node:test";

export const ADAPTERS = join(import.meta.dirname, "..", "..", "..");
export const MODULES = join(ADAPTERS, "node_modules");

/** With this Node.js first, for npm and npx too. */
export const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(MODULES, ".bin"), process.env.PATH].join(delimiter),
};

let folder = "";

/** A path in the folder that the package is installed in. */
export function elsewhere(...path: string[]): string {
  return join(folder, ...path);
}

/** What `npm pack` made. */
export function archive(): string {
  const [name = ""] = readdirSync(folder).filter((file) => file.endsWith(".tgz"));
  return join(folder, name);
}

export function run(program: string, args: readonly string[], cwd = folder): string {
  return execFileSync(program, args, { cwd, env: ENV, encoding: "utf8", stdio: "pipe" });
}

/** A folder that ends with the test. */
export function emptyFolder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "function-fetch-elsewhere-"));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

before(() => {
  folder = mkdtempSync(join(tmpdir(), "function-fetch-package-"));
  run("npm", ["pack", "--silent", "--pack-destination", folder], ADAPTERS);
  writeFileSync(join(folder, "package.json"), '{"private": true, "type": "module"}');
  run("npm", ["install", "--silent", "--prefer-offline", "--no-audit", archive()]);
  mkdirSync(join(folder, "examples"));
  for (const example of ["express", "fastify"]) {
    copyFileSync(
      join(ADAPTERS, "examples", `${example}.ts`),
      join(folder, "examples", `${example}.ts`),
    );
    // Their dependencies.
    symlinkSync(join(MODULES, example), join(folder, "node_modules", example));
  }
});

after(() => {
  rmSync(folder, { recursive: true });
});

export interface Program {
  readonly child: ChildProcess;
  /** All that it printed so far. */
  said(): string;
  /** The port of the first URL that it prints; 0 before. */
  port(): number;
}

/** Starts a program there, which ends with the test. */
export function start(
  t: TestContext,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd = folder,
): Program {
  const child = spawn(program, args, {
    cwd,
    env: { ...ENV, ...env },
    stdio: ["ignore", "pipe", "inherit"],
    // `npx` starts a child process.
    detached: true,
  });
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  t.after(() => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // All of them have ended.
    }
  });
  return { child, said: () => said, port: () => Number(/:(\d+)$/m.exec(said)?.[1] ?? 0) };
}
