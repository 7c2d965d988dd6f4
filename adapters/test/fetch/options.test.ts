/** The options of the fetch entry, and what runtimes pass beside a request. */

import assert from "node:assert/strict";
import { test } from "node:test";
import server, { createFetchHandler, type Options, type Stats } from "../../src/fetch/index.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { eventually } from "../support/waiting.js";

const request = (path = "/") => new Request(`http://proxy.example${path}`);

test("the_default_export_is_a_server_of_the_environment", async (t) => {
  const origin = await startOrigin(t);
  process.env.FETCH_TARGETS = origin.url;
  t.after(() => {
    delete process.env.FETCH_TARGETS;
  });
  assert.equal(await (await server.fetch(request("/x"))).text(), "origin");
  assert.equal(origin.seen[0]?.path, "/x");
});

test("an_option_overrides_env_and_env_the_environment", async (t) => {
  const [first, second, third] = [
    await startOrigin(t, { name: "first" }),
    await startOrigin(t, { name: "second" }),
    await startOrigin(t, { name: "third" }),
  ];
  process.env.FETCH_TARGETS = third.url;
  t.after(() => {
    delete process.env.FETCH_TARGETS;
  });
  const env = { FETCH_TARGETS: [second.url] };
  const cases: [options: Options, name: string][] = [
    [{ targets: [first.url], env }, "first"],
    [{ env }, "second"],
    [{}, "third"],
  ];
  for (const [options, name] of cases) {
    const response = await createFetchHandler(options)(request());
    assert.equal(await response.text(), name);
  }
});

test("an_impossible_option_is_named", () => {
  const cases: [options: object, message: RegExp][] = [
    [{ target: "https://a.example" }, /there is no option `target`/],
    [{ dispatcher: {} }, /there is no option `dispatcher`/],
    [{ healthPath: ["/a"] }, /the option `healthPath` is an array: give a string/],
    [{ env: { FETCH_EXPLAIN: {} } }, /the setting FETCH_EXPLAIN is an object/],
    [{ onResponse: 1 }, /the option `onResponse` is no function/],
  ];
  for (const [options, message] of cases) {
    assert.throws(() => createFetchHandler(options as Options), { name: "TypeError", message });
  }
});

test("the_clients_address_comes_from_the_runtime", async (t) => {
  const origin = await startOrigin(t);
  const handler = createFetchHandler({ targets: origin.url });
  const told = createFetchHandler({
    targets: origin.url,
    clientAddress: ({ headers }) => headers.get("x-real-ip") ?? undefined,
  });
  const bun = { requestIP: () => ({ address: "192.0.2.1", port: 1 }) };
  const gone = { requestIP: () => null };
  const deno = { remoteAddr: { transport: "tcp", hostname: "192.0.2.2", port: 1 } };
  const netlify = { ip: "192.0.2.3", waitUntil: () => {} };
  const cases: [handed: unknown[], address: string | undefined][] = [
    [[bun], "192.0.2.1"],
    [[gone], undefined],
    [[deno], "192.0.2.2"],
    [[{ remoteAddr: { transport: "unix", path: "/run/x" } }], undefined],
    [[netlify], "192.0.2.3"],
    [[{ address: "192.0.2.4" }], "192.0.2.4"],
    [[{ params: {} }], undefined],
    [["192.0.2.5", null, undefined], undefined],
    [[], undefined],
  ];
  for (const [handed, address] of cases) {
    const forged = new Request(request(), { headers: { "x-forwarded-for": "203.0.113.7" } });
    await (await handler(forged, ...handed)).text();
    const [value] = valuesOf(origin.seen.at(-1)?.headers ?? [], "x-forwarded-for");
    assert.equal(value, address);
  }
  await (await told(new Request(request(), { headers: { "x-real-ip": "192.0.2.6" } }), bun)).text();
  assert.equal(onlyValue(origin.seen.at(-1)?.headers ?? [], "x-forwarded-for"), "192.0.2.6");
});

test("work_beyond_the_response_is_waited_for", async (t) => {
  for (const from of ["runtime", "option"]) {
    const fast = await startOrigin(t);
    const slow = await startOrigin(t, { behaviour: { health: { delay: 200 } } });
    const work: Promise<unknown>[] = [];
    const waitUntil = (one: Promise<unknown>) => void work.push(one);
    const kept = new Map<string, string>();
    const store = {
      get: async (key: string) => kept.get(key),
      put: async (key: string, value: string) => kept.set(key, value),
    };
    const targets = [slow.url, fast.url];
    const handler = createFetchHandler({
      ...{ targets, store, log: () => {} },
      ...(from === "option" ? { waitUntil } : {}),
    });
    const response = await handler(request(), ...(from === "runtime" ? [{ waitUntil }] : []));
    assert.equal(await response.text(), "origin");
    assert.ok(work.length > 0, from);
    await eventually("the round is over", () => slow.probes.length === 1);
    await handler.close();
    await Promise.all(work);
    assert.equal(kept.size, 1, from);
  }
});

test("counts_are_told_at_the_end", async (t) => {
  const origin = await startOrigin(t);
  const told: Stats[] = [];
  const handler = createFetchHandler({
    targets: origin.url,
    onStats: (stats) => told.push(stats),
  });
  for (let n = 0; n < 3; n += 1) await (await handler(request())).text();
  await handler.close();
  assert.equal(
    told.reduce((sum, { requests }) => sum + requests, 0),
    3,
  );
});
