/** The package as `npm pack` makes it, installed elsewhere. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { eventually } from "../support/waiting.js";

const ADAPTERS = join(import.meta.dirname, "..", "..");
const MODULES = join(ADAPTERS, "node_modules");

/** With this Node.js first, for npm and npx too. */
const ENV: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [join(MODULES, ".bin"), process.env.PATH].join(delimiter),
};

let elsewhere = "";

function run(program: string, args: readonly string[], cwd: string): string {
  return execFileSync(program, args, { cwd, env: ENV, encoding: "utf8", stdio: "pipe" });
}

before(() => {
  elsewhere = mkdtempSync(join(tmpdir(), "function-fetch-package-"));
  run("npm", ["pack", "--silent", "--pack-destination", elsewhere], ADAPTERS);
  const [archive = ""] = readdirSync(elsewhere);
  writeFileSync(join(elsewhere, "package.json"), '{"private": true, "type": "module"}');
  run("npm", ["install", "--silent", "--prefer-offline", "--no-audit", archive], elsewhere);
  mkdirSync(join(elsewhere, "examples"));
  // The dependencies of the examples.
  for (const name of ["express", "fastify"]) {
    symlinkSync(join(MODULES, name), join(elsewhere, "node_modules", name));
  }
});

after(() => {
  rmSync(elsewhere, { recursive: true });
});

/** Starts a program there; gives the port of the first URL that it prints. */
function start(
  t: TestContext,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): () => number {
  return startProcess(t, program, args, env).portOf;
}

function startProcess(
  t: TestContext,
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): { readonly child: ChildProcess; readonly portOf: () => number } {
  const child = spawn(program, args, {
    cwd: elsewhere,
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
  return { child, portOf: () => Number(/:(\d+)$/m.exec(said)?.[1] ?? 0) };
}

test("it_contains_what_it_needs_and_no_more", () => {
  const installed = join(elsewhere, "node_modules", "function-fetch");
  for (const file of [
    "bin/function-fetch.js",
    "dist/node/index.js",
    "dist/node/index.d.ts",
    "generated/engine.js",
    "generated/engine.core.text.js",
    "generated/engine.core.wasm",
  ]) {
    assert.ok(existsSync(join(installed, file)), file);
  }
  for (const folder of ["src", "test", "bench", "node_modules"]) {
    assert.ok(!existsSync(join(installed, folder)), folder);
  }
  // undici is the only dependency of a server.
  const packages = readdirSync(join(elsewhere, "node_modules")).filter(
    (name) => !name.startsWith(".") && !["express", "fastify"].includes(name),
  );
  assert.deepEqual(packages, ["function-fetch", "undici"]);
});

test("npx_serves", async (t) => {
  const origin = await startOrigin(t);
  assert.match(run("npx", ["function-fetch", "--version"], elsewhere), /^\d+\.\d+\.\d+\n$/);
  const env = { FETCH_TARGETS: origin.url, PORT: "0" };
  const portOf = start(t, "npx", ["function-fetch"], env);
  const port = await eventually("it says where it serves", () => portOf() || undefined, 30_000);
  assert.equal((await send(port)).body.toString(), "origin");
});

test("sigterm_to_npx_stops_the_server_too", async (t) => {
  const origin = await startOrigin(t);
  const env = { FETCH_TARGETS: origin.url, PORT: "0" };
  const { child, portOf } = startProcess(t, "npx", ["function-fetch"], env);
  const port = await eventually("it says where it serves", () => portOf() || undefined, 30_000);
  child.kill("SIGTERM");
  await eventually("nothing listens any more", () =>
    send(port).then(
      () => false,
      () => true,
    ),
  );
});

/** A program with the package in it, by a bundler; its text. */
const BUNDLERS: Record<string, (entry: string) => Promise<string>> = {
  esbuild: async (entry) => {
    const { outputFiles } = await esbuild({
      entryPoints: [entry],
      bundle: true,
      write: false,
      platform: "node",
      format: "esm",
      banner: {
        js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);',
      },
    });
    return outputFiles[0]?.text ?? "";
  },
  // undici is CommonJS, for which it would need a plugin.
  rollup: async (entry) => {
    const bundle = await rollup({ input: entry, external: /^(?:undici$|node:)/ });
    const { output } = await bundle.generate({ format: "esm" });
    return output[0].code;
  },
};

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  test(`it_can_be_bundled_by_${name}_and_moved`, async (t) => {
    const origin = await startOrigin(t);
    const entry = join(elsewhere, "entry.js");
    writeFileSync(
      entry,
      `import { createServer } from "node:http";
       import { createNodeHandler } from "./node_modules/function-fetch/dist/node/index.js";
       const server = createServer(createNodeHandler());
       server.listen(0, "127.0.0.1", () => console.log("at :" + server.address().port));
      `,
    );
    const folder = mkdtempSync(join(tmpdir(), "function-fetch-moved-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const file = join(folder, "app.mjs");
    writeFileSync(file, await bundle(entry));
    if (name === "rollup") {
      mkdirSync(join(folder, "node_modules"));
      symlinkSync(join(MODULES, "undici"), join(folder, "node_modules", "undici"));
    }
    const portOf = start(t, process.execPath, [file], { FETCH_TARGETS: origin.url });
    const port = await eventually("it serves", () => portOf() || undefined);
    assert.equal((await send(port)).body.toString(), "origin");
  });
}

for (const example of ["express", "fastify"]) {
  test(`the_example_for_${example}_runs`, async (t) => {
    const origin = await startOrigin(t);
    const file = join("examples", `${example}.ts`);
    copyFileSync(join(ADAPTERS, file), join(elsewhere, file));
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    start(t, process.execPath, [file], { FETCH_TARGETS: origin.url, PORT: String(port) });
    const own = await eventually("the example serves", () =>
      send(port, { path: "/healthz" }).catch(() => undefined),
    );
    assert.equal(own.body.toString(), "ok");
    const headers = [["content-type", "application/json"]] as const;
    const answer = await send(port, { method: "POST", path: "/x", headers, body: '{"a":1}' });
    assert.equal(answer.status, 200);
    assert.equal(origin.seen[0]?.body.toString(), '{"a":1}');
  });
}

test("its_types_fit_a_strict_consumer", () => {
  writeFileSync(
    join(elsewhere, "consumer.ts"),
    `import { createServer } from "node:http";
     import { createFetchHandler, createNodeHandler, fileStore, type Settings, type Store } from "function-fetch/node";
     const env: Settings = { FETCH_TARGETS: "https://a.example" };
     const store: Store = fileStore("/tmp/store");
     const handler = createNodeHandler({ env, store, log: (line) => console.log(line.length) });
     createServer(handler).on("upgrade", handler.upgrade);
     const answer: Promise<Response> = createFetchHandler({ env })(new Request("http://a.example"));
     void answer.then(() => handler.close());
     createNodeHandler({
       env: { FETCH_TARGETS: ["https://a.example"], FETCH_MAX_ATTEMPTS: 2, FETCH_EXPLAIN: true },
     });
     // @ts-expect-error: there is no such setting
     createNodeHandler({ env: { FETCH_TARGET: "https://a.example" } });
     // @ts-expect-error: a store needs put
     createNodeHandler({ env, store: { get: async () => undefined } });
    `,
  );
  const options = ["--strict", "--noEmit", "--module", "NodeNext", "--target", "ES2023"];
  const types = ["--types", "node", "--typeRoots", join(MODULES, "@types")];
  // Without --skipLibCheck: the package's own declarations are checked with it.
  const lib = ["--lib", "ES2023,DOM,DOM.Iterable,DOM.AsyncIterable"];
  run(join(MODULES, ".bin", "tsc"), [...options, ...types, ...lib, "consumer.ts"], elsewhere);
});
