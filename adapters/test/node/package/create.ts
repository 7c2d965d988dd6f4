/** `npm create function-fetch`: what it makes, with the package as it is packed. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { send } from "../../support/client.js";
import { startOrigin } from "../../support/origin.js";
import { freePort } from "../../support/port.js";
import { eventually } from "../../support/waiting.js";
import { ADAPTERS, archive, ENV, emptyFolder, run, start } from "./installed.js";

/** The starter as npm packs it; its script. */
function packed(t: TestContext): string {
  const folder = emptyFolder(t);
  run("npm", ["pack", "--silent", "--pack-destination", folder], join(ADAPTERS, "create"));
  const { version } = manifest(join(ADAPTERS, "create"));
  run("tar", ["-xzf", `create-function-fetch-${version}.tgz`], folder);
  return join(folder, "package", "index.js");
}

interface Manifest {
  readonly version: string;
  readonly name: string;
  readonly dependencies: Record<string, string>;
  readonly devDependencies: Record<string, string>;
  readonly cloudflare: { readonly bindings: Record<string, { readonly description: string }> };
}

function manifest(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

test("create_makes_a_worker_that_serves", { timeout: 180_000 }, async (t) => {
  const script = packed(t);
  const origin = await startOrigin(t);
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const cwd = emptyFolder(t);
  const said = run(process.execPath, [script, "my-proxy", dead.url, origin.url], cwd);
  assert.match(said, /^ {2}cd my-proxy\n {2}npm install\n/m);
  const folder = join(cwd, "my-proxy");
  assert.ok(existsSync(join(folder, ".gitignore")));
  assert.equal(manifest(folder).name, "my-proxy");
  // Wrangler and TypeScript are those of this repository.
  run("npm", ["install", "--silent", "--prefer-offline", "--omit=dev", archive()], folder);
  const env = { ...ENV, CI: "1", WRANGLER_SEND_METRICS: "false", FORCE_COLOR: "0" };
  const check = execFileSync("npm", ["run", "check"], {
    cwd: folder,
    env,
    encoding: "utf8",
    stdio: "pipe",
  });
  assert.match(check, /env\.FASTEST_KV\b.*KV Namespace/);
  assert.match(check, /--dry-run: exiting now/);
  const port = await freePort();
  start(t, "npm", ["run", "dev", "--", "--ip", "127.0.0.1", "--port", String(port)], env, folder);
  const answer = await eventually(
    "the worker serves",
    () => send(port).catch(() => undefined),
    60_000,
  );
  assert.deepEqual([answer.status, answer.body.toString()], [200, "origin"]);
});

test("create_says_what_is_wrong", (t) => {
  const script = join(ADAPTERS, "create", "index.js");
  const cwd = emptyFolder(t);
  mkdirSync(join(cwd, "full"));
  writeFileSync(join(cwd, "full", "file"), "");
  const cases: [args: string[], message: RegExp][] = [
    [[], /name the folder to make: npm create function-fetch FOLDER/],
    [["full"], /full is not empty: name a new folder/],
    [["My_Proxy"], /My_Proxy: a Worker cannot have this name; name the folder in/],
    [["proxy", "a.example"], /a\.example is not the address of a target, such as https:/],
    [["proxy", 'https://a.example/"'], /is not the address of a target/],
    [["proxy", "--kv"], /Unknown option '--kv'/],
  ];
  for (const [args, message] of cases) {
    assert.throws(
      () => run(process.execPath, [script, ...args], cwd),
      (error: { status: number; stderr: string }) =>
        error.status === 2 && message.test(error.stderr),
      String(message),
    );
  }
  assert.ok(!existsSync(join(cwd, "proxy")));
  const said = run(process.execPath, [script, "proxy"], cwd);
  assert.match(said, /# write your targets into wrangler\.jsonc/);
  assert.match(
    run(process.execPath, [script, "--help"], cwd),
    /^Usage: npm create function-fetch/m,
  );
});

test("what_create_makes_fits_this_version", () => {
  const own = manifest(ADAPTERS);
  const template = join(ADAPTERS, "create", "template");
  assert.equal(manifest(join(ADAPTERS, "create")).version, own.version);
  const { dependencies, devDependencies, cloudflare } = manifest(template);
  assert.deepEqual(dependencies, { "function-fetch": `^${own.version}` });
  for (const [name, range] of Object.entries(devDependencies)) {
    assert.equal(range, own.devDependencies[name], name);
  }
  // The button asks for each of them, and shows what it is for.
  const wrangler = readFileSync(join(template, "wrangler.jsonc"), "utf8");
  for (const [binding, { description }] of Object.entries(cloudflare.bindings)) {
    assert.match(wrangler, new RegExp(`"${binding}"`), binding);
    assert.ok(description.endsWith("."), binding);
  }
});
