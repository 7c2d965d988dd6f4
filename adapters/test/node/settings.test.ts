/** Which values settings may have, and on which Node.js they are read. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { instantiate } from "../../src/engine/node.js";
import { createNodeHandler, type Options, type Settings } from "../../src/node/index.js";
import { RANGE, unsupported } from "../../src/node/supported.js";
import { optionOf, type SettingOptions } from "../../src/options.js";
import { send } from "../support/client.js";
import { onlyValue } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { startProxy } from "./proxy.js";

const ADAPTERS = join(import.meta.dirname, "..", "..");

test("settings_may_be_json_values", async (t) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, {
    env: {
      FETCH_TARGETS: [dead.url, origin.url],
      FETCH_CACHE_ADAPTER: ["none"],
      FETCH_MAX_ATTEMPTS: 2,
      FETCH_EXPLAIN: true,
    },
  });
  const { body, headers } = await send(proxy.port);
  assert.equal(body.toString(), "origin");
  assert.match(onlyValue(headers, "proxy-status") ?? "", /next-hop/);
  assert.deepEqual(proxy.said, []);
});

test("settings_may_be_options", async (t) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, {
    targets: [{ url: dead.url }, { url: origin.url, tier: 2 }],
    cacheAdapter: ["none"],
    maxAttempts: 2,
    explain: true,
    retryOn5xx: false,
    retryStatuses: [429, "502-504"],
    env: { FETCH_MAX_ATTEMPTS: 1, FETCH_TARGETS: "https://unused.example" },
  });
  const { body, headers } = await send(proxy.port);
  assert.equal(body.toString(), "origin");
  assert.match(onlyValue(headers, "proxy-status") ?? "", /next-hop/);
  assert.deepEqual(proxy.said, []);
});

test("every_setting_is_an_option", () => {
  const names = instantiate().settingNames();
  const options: (keyof SettingOptions)[] = [
    ...(["targets", "healthPath", "healthTimeoutMs", "retryOn5xx", "retryStatuses"] as const),
    ...(["cacheAdapter", "cacheKey", "cacheTtlSeconds", "cacheSyncSeconds"] as const),
    ...(["cacheKvBinding", "esaKvNamespace", "maxAttempts", "connectTimeoutMs"] as const),
    ...(["attemptTimeoutMs", "deadlineMs", "retryMethods", "replayBodyBytes"] as const),
    ...(["staleSeconds", "switchMargin", "spread", "coldStart", "hedgeMs", "maxProbes"] as const),
    ...(["forwarded", "trustForwarded", "explain", "statsSeconds", "statusPath"] as const),
    "statusToken",
  ];
  assert.deepEqual(names.map(optionOf).toSorted(), options.toSorted());
});

test("an_impossible_option_is_reported_with_the_remedy", () => {
  const cases: [options: object, message: RegExp][] = [
    [{ target: "https://a.example" }, /there is no option `target`/],
    [
      { FETCH_TARGETS: "https://a.example" },
      /no option `FETCH_TARGETS`: write `targets`, or put it/,
    ],
    [{ targets: 5, maxAttempts: [2] }, /`maxAttempts` is an array: give a string, a number or/],
    [{ targets: { url: "x" } }, /the option `targets` is an object: give a string or an array/],
    [{ targets: null }, /the option `targets` is null/],
    [
      { retryStatuses: [429.5] },
      /`retryStatuses` is an array: give a string or an array of strings and/,
    ],
    [
      { retryMethods: [true] },
      /the option `retryMethods` is an array: give a string or an array of/,
    ],
    [{ onRequest: "log" }, /the option `onRequest` is no function/],
    [{ tls: "ca.pem" }, /the option `tls` is no object/],
    [{ dispatcher: {} }, /the option `dispatcher` is no dispatcher of undici/],
    [{ store: {} }, /the option `store` needs the methods `get` and `put`/],
  ];
  for (const [options, message] of cases) {
    const given = options as Options;
    assert.throws(() => createNodeHandler(given), { name: "TypeError", message }, String(message));
  }
});

test("an_impossible_value_is_reported_with_the_remedy", () => {
  const cases: [settings: object, message: RegExp][] = [
    [
      { FETCH_TARGETS: { a: 1 } },
      /FETCH_TARGETS is an object: give a string or an array of strings/,
    ],
    [{ FETCH_TARGETS: ["https://a.example", 7] }, /FETCH_TARGETS is an array: give a string or an/],
    [{ FETCH_MAX_ATTEMPTS: [2] }, /FETCH_MAX_ATTEMPTS is an array: give a string, a number or/],
    [{ FETCH_MAX_ATTEMPTS: Number.NaN }, /FETCH_MAX_ATTEMPTS is NaN/],
    [{ FETCH_EXPLAIN: () => true }, /FETCH_EXPLAIN is a function/],
  ];
  for (const [env, message] of cases) {
    const given = { FETCH_TARGETS: "https://a.example", ...env } as Settings;
    assert.throws(() => createNodeHandler({ env: given }), { name: "TypeError", message });
  }
  assert.throws(() => createNodeHandler({ env: {}, maxHeadBytes: 0.5 }), /`maxHeadBytes` is 0\.5/);
});

test("the_oldest_node_is_the_one_that_the_package_names", () => {
  const { engines } = JSON.parse(readFileSync(join(ADAPTERS, "package.json"), "utf8"));
  assert.equal(engines.node, RANGE);
  const undici = join(ADAPTERS, "node_modules", "undici", "package.json");
  assert.equal(JSON.parse(readFileSync(undici, "utf8")).engines.node, ">=22.19.0");
  for (const version of ["22.19.0", "22.20.1", "23.8.0", "23.11.1", "24.0.0", "26.1.0-nightly"]) {
    assert.equal(unsupported(version), undefined, version);
  }
  for (const version of ["22.18.9", "22.0.0", "23.0.0", "23.7.9", "20.20.2", "4.9.1"]) {
    assert.match(unsupported(version) ?? "", /needs Node\.js 22 from 22\.19\.0 on, or 23/, version);
  }
});

/** A copy of the scripts in an otherwise empty folder. */
function bareScripts(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "function-fetch-scripts-"));
  t.after(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "scripts"));
  cpSync(join(ADAPTERS, "scripts", "generated.js"), join(folder, "scripts", "generated.js"));
  cpSync(join(ADAPTERS, "package.json"), join(folder, "package.json"));
  return folder;
}

test("without_the_engine_every_script_names_the_command_that_makes_it", (t) => {
  const cwd = bareScripts(t);
  const { scripts } = JSON.parse(readFileSync(join(ADAPTERS, "package.json"), "utf8"));
  const needing = Object.keys(scripts).filter(
    (name) =>
      /^(?:build|gen:|dev$|deploy|typecheck|test:|bench:)/.test(name) &&
      // That command builds the engine itself.
      !scripts[name].startsWith("cargo xtask "),
  );
  assert.ok(needing.length >= 15);
  for (const name of needing) {
    const first = scripts[name].replace(
      /^npm run --silent (\S+)/,
      (_: string, of: string) => scripts[of],
    );
    assert.match(first, /^node scripts\/generated\.js (?:playground )?&& /, name);
  }
  for (const [kinds, command] of [
    [[], "cargo xtask build --edge"],
    [["playground"], "cargo xtask playground"],
  ] as const) {
    const words = ["scripts/generated.js", ...kinds];
    assert.throws(
      () => execFileSync(process.execPath, words, { cwd, stdio: "pipe" }),
      ({ status, stderr }: { status: number; stderr: Buffer }) =>
        status === 1 && stderr.toString().includes(`make it with \`${command}\``),
    );
  }
});
