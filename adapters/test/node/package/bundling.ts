/** Programs with the package in them, made by real bundlers, and run where nothing is installed. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import commonjs from "@rollup/plugin-commonjs";
import { nodeResolve } from "@rollup/plugin-node-resolve";
import { build as esbuild } from "esbuild";
import { rollup } from "rollup";
import { build as vite } from "vite";
import webpack from "webpack";
import { send } from "../../support/client.js";
import { startOrigin } from "../../support/origin.js";
import { freePort } from "../../support/port.js";
import { commandOf, RUNTIMES } from "../../support/runtimes.js";
import { eventually } from "../../support/waiting.js";
import { elsewhere, emptyFolder, run, start } from "./installed.js";

/** Its types are those of a CommonJS module, which it is not. */
const commonJs = commonjs as unknown as typeof commonjs.default;

/** Makes `file`, with everything in it, of `entry`. */
type Bundler = (entry: string, file: string) => Promise<unknown>;

/** undici is CommonJS and requires Node.js' built-in modules. */
const REQUIRE =
  'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);';

const BUNDLERS: Record<string, Bundler> = {
  esbuild: (entry, outfile) =>
    esbuild({
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      banner: { js: REQUIRE },
    }),
  esbuild_as_commonjs: (entry, outfile) =>
    esbuild({ entryPoints: [entry], outfile, bundle: true, platform: "node", format: "cjs" }),
  rollup: async (input, file) => {
    const plugins = [
      nodeResolve({ exportConditions: ["node"], preferBuiltins: true }),
      commonJs({ ignoreDynamicRequires: true }),
    ];
    const bundle = await rollup({ input, plugins, external: /^node:/, logLevel: "silent" });
    await bundle.write({ file, format: "esm" });
    await bundle.close();
  },
  vite: (ssr, file) =>
    vite({
      configFile: false,
      root: dirname(ssr),
      logLevel: "error",
      ssr: { noExternal: true, target: "node" },
      build: {
        ssr,
        outDir: dirname(file),
        emptyOutDir: false,
        rolldownOptions: { output: { entryFileNames: basename(file) } },
      },
    }),
  webpack: (entry, file) =>
    new Promise<void>((resolve, reject) => {
      const options: webpack.Configuration = {
        mode: "production",
        entry,
        target: "node22.19",
        experiments: { outputModule: true },
        output: { path: dirname(file), filename: basename(file), module: true },
        performance: false,
        // It takes a minute, and changes nothing that matters here.
        optimization: { minimize: false },
      };
      webpack(options, (error, stats) => {
        if (error) reject(error);
        else if (stats?.hasErrors()) reject(new Error(stats.toString("errors-only")));
        else resolve();
      });
    }),
};

/** Both handlers of Node.js: of `node:http`, and on the runtime's own `fetch`. */
const BODY = `
  const server = createServer(createNodeHandler());
  server.listen(0, "127.0.0.1", async () => {
    const answer = await createFetchHandler()(new Request("http://proxy.example/fetched"));
    console.log("fetched " + (await answer.text()));
    console.log("at http://127.0.0.1:" + server.address().port);
  });
`;

const MODULE = `
  import { createServer } from "node:http";
  import { createNodeHandler } from "function-fetch";
  import { createFetchHandler } from "function-fetch/fetch";
  ${BODY}`;

const COMMON = `
  const { createServer } = require("node:http");
  const { createNodeHandler } = require("function-fetch/node");
  const { createFetchHandler } = require("function-fetch/fetch");
  ${BODY}`;

for (const [name, bundle] of Object.entries(BUNDLERS)) {
  test(`it_can_be_bundled_by_${name}_and_moved`, { timeout: 120_000 }, async (t) => {
    const isCommon = name.endsWith("commonjs");
    const origin = await startOrigin(t);
    const entry = elsewhere(isCommon ? "entry.cjs" : "entry.js");
    writeFileSync(entry, isCommon ? COMMON : MODULE);
    const file = join(emptyFolder(t), isCommon ? "app.cjs" : "app.mjs");
    await bundle(entry, file);
    const program = start(
      t,
      process.execPath,
      [file],
      { FETCH_TARGETS: origin.url },
      dirname(file),
    );
    const port = await eventually("it serves", () => program.port() || undefined, 30_000);
    assert.match(program.said(), /^fetched origin$/m);
    assert.equal((await send(port)).body.toString(), "origin");
  });
}

test("common_js_requires_it", async (t) => {
  const origin = await startOrigin(t);
  writeFileSync(elsewhere("common.cjs"), COMMON);
  const program = start(t, process.execPath, ["common.cjs"], { FETCH_TARGETS: origin.url });
  const port = await eventually("it serves", () => program.port() || undefined, 30_000);
  assert.equal((await send(port)).body.toString(), "origin");
});

const ROOT = 'import * as root from "function-fetch"; console.log(Object.keys(root).join());';

test("the_root_is_what_fits_the_runtime", () => {
  writeFileSync(elsewhere("root.mjs"), ROOT);
  for (const runtime of RUNTIMES) {
    const [command, ...words] = commandOf(runtime);
    // Deno looks for packages where npm has put them only if it reads package.json.
    const given = words.filter((word) => word !== "--no-config");
    const found = run(command, [...given, "root.mjs"])
      .trim()
      .split(",");
    assert.ok(found.includes("createFetchHandler"), runtime);
    assert.equal(found.includes("createNodeHandler"), runtime === "node", runtime);
  }
});

test("one_line_is_a_server_for_bun_and_deno", async (t) => {
  const origin = await startOrigin(t);
  writeFileSync(elsewhere("server.mjs"), 'export { default } from "function-fetch/fetch";\n');
  for (const runtime of ["bun", "deno"] as const) {
    const port = await freePort();
    const [command, ...words] = commandOf(runtime);
    const place = ["--host", "127.0.0.1", "--port", String(port)];
    const deno = words.flatMap(
      (word) => ({ run: ["serve", ...place], "--no-config": [] })[word] ?? [word],
    );
    const env = { FETCH_TARGETS: origin.url, PORT: String(port), BUN_PORT: String(port) };
    start(t, command, [...(runtime === "deno" ? deno : words), "server.mjs"], env);
    const answer = await eventually(
      `${runtime} serves`,
      () => send(port).catch(() => undefined),
      30_000,
    );
    assert.equal(answer.body.toString(), "origin", runtime);
  }
});

test("the_root_is_a_worker_for_wrangler", async (t) => {
  writeFileSync(elsewhere("root.mjs"), ROOT);
  const { metafile } = await esbuild({
    entryPoints: [elsewhere("root.mjs")],
    outdir: emptyFolder(t),
    bundle: true,
    format: "esm",
    // As wrangler has them.
    conditions: ["workerd", "worker", "browser"],
    loader: { ".wasm": "copy" },
    metafile: true,
  });
  assert.match(Object.keys(metafile.inputs).join(), /function-fetch\/dist\/cloudflare\/index\.js/);
});
