/** The package as `npm pack` makes it, installed elsewhere. */

import assert from "node:assert/strict";
import { existsSync, globSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { freePort } from "../support/port.js";
import { eventually } from "../support/waiting.js";
import { elsewhere, MODULES, run, start } from "./package/installed.js";
// One process for all, since each packs the same folder.
import "./package/bundling.js";
import "./package/create.js";
import "./package/versions.js";

test("it_contains_what_it_needs_and_no_more", () => {
  const installed = elsewhere("node_modules", "function-fetch");
  for (const file of [
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "README_zh-CN.md",
    "bin/function-fetch.js",
    "dist/cloudflare/index.js",
    "dist/esa/index.js",
    "dist/fetch/index.js",
    "dist/fetch/index.d.ts",
    "dist/node/index.js",
    "dist/node/index.d.ts",
    "generated/engine.js",
    "generated/engine.core.js",
    "generated/engine.core.text.js",
    "generated/engine.core.wasm",
  ]) {
    assert.ok(existsSync(join(installed, file)), file);
  }
  for (const folder of ["create", "src", "test", "bench", "node_modules"]) {
    assert.ok(!existsSync(join(installed, folder)), folder);
  }
  // undici is the only dependency of a server.
  const packages = readdirSync(elsewhere("node_modules")).filter(
    (name) => !name.startsWith(".") && !["express", "fastify"].includes(name),
  );
  assert.deepEqual(packages, ["function-fetch", "undici"]);
});

test("every_module_leads_back_to_its_source", () => {
  const dist = elsewhere("node_modules", "function-fetch", "dist");
  // One file for ESA's console, which has no place for a map.
  const modules = globSync("**/*.js", { cwd: dist }).filter((file) => file !== "esa.js");
  assert.ok(modules.length > 60);
  for (const file of modules) {
    const { sources, sourcesContent } = JSON.parse(readFileSync(join(dist, `${file}.map`), "utf8"));
    assert.match(sources[0], /\/src\/.*\.ts$/, file);
    assert.ok(sourcesContent[0].length > 0, file);
  }
});

test("every_entry_leads_to_a_file", () => {
  const installed = elsewhere("node_modules", "function-fetch");
  const { exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
  const files = (entry: unknown): string[] =>
    typeof entry === "string" ? [entry] : Object.values(entry as object).flatMap(files);
  const all = files(exports);
  assert.ok(all.length > 15);
  for (const file of all) assert.ok(existsSync(join(installed, file)), file);
});

test("npx_serves", async (t) => {
  const origin = await startOrigin(t);
  assert.match(run("npx", ["function-fetch", "--version"]), /^\d+\.\d+\.\d+\n$/);
  const program = start(t, "npx", ["function-fetch", "--port", "0", origin.url], {});
  const port = await eventually(
    "it says where it serves",
    () => program.port() || undefined,
    30_000,
  );
  assert.equal((await send(port)).body.toString(), "origin");
});

test("sigterm_to_npx_stops_the_server_too", async (t) => {
  const origin = await startOrigin(t);
  const env = { FETCH_TARGETS: origin.url, PORT: "0" };
  const program = start(t, "npx", ["function-fetch"], env);
  const port = await eventually(
    "it says where it serves",
    () => program.port() || undefined,
    30_000,
  );
  program.child.kill("SIGTERM");
  await eventually("nothing listens any more", () =>
    send(port).then(
      () => false,
      () => true,
    ),
  );
});

for (const example of ["express", "fastify"]) {
  test(`the_example_for_${example}_runs`, async (t) => {
    const origin = await startOrigin(t);
    const file = join("examples", `${example}.ts`);
    const port = await freePort();
    start(t, process.execPath, [file], { FETCH_TARGETS: origin.url, PORT: String(port) });
    const own = await eventually(
      "the example serves",
      () => send(port, { path: "/healthz" }).catch(() => undefined),
      30_000,
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
    elsewhere("consumer.ts"),
    `import { createServer } from "node:http";
     import { createFetchHandler, createNodeHandler, fileStore, type Settings, type Store } from "function-fetch";
     import { createFetchHandler as onFetch, type FetchHandler } from "function-fetch/fetch";
     const env: Settings = { FETCH_TARGETS: "https://a.example" };
     const store: Store = fileStore("/tmp/store");
     const handler = createNodeHandler({ env, store, log: (line) => console.log(line.length) });
     createServer(handler).on("upgrade", handler.upgrade);
     const answer: Promise<Response> = createFetchHandler({ env })(new Request("http://a.example"));
     void answer.then(() => handler.close());
     createNodeHandler({
       env: { FETCH_TARGETS: ["https://a.example"], FETCH_MAX_ATTEMPTS: 2, FETCH_EXPLAIN: true },
     });
     createNodeHandler({
       targets: ["https://a.example", { url: "https://b.example", tier: 2 }],
       healthPath: "/health", maxAttempts: 2, explain: true, retryOn5xx: "no", retryMethods: ["GET"],
       tls: { ca: "..." },
       onRequest: (request) => { request.headers.set("x-a", request.path); return undefined; },
       onResponse: async ({ status, target }) => { console.log(status, target); },
     });
     const fetched: FetchHandler = onFetch({ targets: "https://a.example", clientAddress: () => "192.0.2.1" });
     void fetched(new Request("http://a.example"), { ip: "192.0.2.1" });
     // @ts-expect-error: there is no such option
     createNodeHandler({ target: "https://a.example" });
     // @ts-expect-error: targets are no number
     createNodeHandler({ targets: 5 });
     // @ts-expect-error: attempts are no list
     onFetch({ maxAttempts: [2] });
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
  writeFileSync(
    elsewhere("consumer.cts"),
    `import { createServer } from "node:http";
     import { createNodeHandler } from "function-fetch/node";
     createServer(createNodeHandler({ targets: ["https://a.example"] }));
    `,
  );
  const files = ["consumer.ts", "consumer.cts"];
  run(join(MODULES, ".bin", "tsc"), [...options, ...types, ...lib, ...files]);
});
