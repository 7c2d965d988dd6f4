/** What is measured, shared and remembered in an isolate, and how a namespace can fail. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { send } from "../support/client.js";
import type { Origin } from "../support/origin.js";
import { startOrigin } from "../support/origin.js";
import { eventually, sleep } from "../support/waiting.js";
import { double, type RunningProxy, startProxy } from "./proxy.js";

const stores = await double("stores");

interface Counts {
  readonly reads: number;
  readonly writes: readonly { readonly at: number; readonly ttl: number; readonly value: string }[];
}

function withStore(t: TestContext, KV: string, settings: object): Promise<RunningProxy> {
  return startProxy(t, { ...settings, KV }, { modules: stores });
}

async function countsOf(proxy: RunningProxy): Promise<Counts> {
  const { body } = await send(proxy.port, { path: "/counts" });
  return JSON.parse(body.toString());
}

function burst(port: number, count: number): Promise<string[]> {
  const one = async () => (await send(port)).body.toString();
  return Promise.all(Array.from({ length: count }, one));
}

test("fifty_cold_requests_are_one_round_and_five_hundred_warm_ones_one_write_at_most", async (t) => {
  const a = await startOrigin(t, { name: "a", behaviour: { health: { delay: 50 } } });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 400 } } });
  const proxy = await withStore(t, "counted", { FETCH_TARGETS: `${b.url},${a.url}` });
  const cold = await burst(proxy.port, 50);
  assert.deepEqual([...new Set(cold)], ["a"]);
  assert.deepEqual([a.probes.length, b.probes.length], [1, 1]);
  // The round ends after the responses, by `waitUntil`.
  const { writes } = await eventually("the round is written", async () => {
    const counts = await countsOf(proxy);
    return counts.writes.length > 0 && counts;
  });
  assert.equal(writes.length, 1);
  // The record's own TTL is 300 s, and it may be used for as long again.
  assert.ok((writes[0]?.ttl ?? 0) >= 300);
  assert.match(writes[0]?.value ?? "", /"primary":1/);
  for (let round = 0; round < 10; round += 1) await burst(proxy.port, 50);
  const after = await countsOf(proxy);
  assert.ok(after.writes.length <= 2, `${after.writes.length} writes`);
  assert.deepEqual([a.probes.length, b.probes.length], [1, 1]);
});

test("a_new_isolate_takes_its_decision_from_kv", async (t) => {
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 150 } } });
  const settings = { FETCH_TARGETS: `${b.url},${a.url}` };
  const proxy = await withStore(t, "counted", settings);
  await send(proxy.port);
  const { writes } = await eventually("the decision is written", async () => {
    const counts = await countsOf(proxy);
    return counts.writes.length > 0 && counts;
  });
  const second = await startProxy(t, settings);
  const kv = await second.miniflare.getKVNamespace("FASTEST_KV");
  await kv.put("proxy:fastest", writes[0]?.value ?? "");
  assert.equal((await send(second.port)).body.toString(), "a");
  assert.deepEqual([a.probes.length, b.probes.length], [1, 1]);
});

test("a_ttl_of_ten_seconds_is_refreshed_in_the_background", async (t) => {
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 100 } } });
  const settings = { FETCH_TARGETS: `${a.url},${b.url}`, FETCH_CACHE_TTL_SECONDS: "10" };
  const proxy = await withStore(t, "counted", settings);
  await send(proxy.port);
  await eventually("the first round is over", () => b.probes.length === 1);
  // From now on a probe takes long, and no request may wait for one.
  await a.behave({ health: { delay: 1_500 } });
  await b.behave({ health: { delay: 1_500 } });
  await eventually(
    "it is refreshed",
    async () => {
      const started = performance.now();
      assert.equal((await send(proxy.port)).body.toString(), "a");
      assert.ok(performance.now() - started < 1_400, "a request waited for a probe");
      await sleep(100);
      return a.probes.length >= 2 && b.probes.length >= 2;
    },
    15_000,
  );
  const { writes } = await eventually("what it found is written", async () => {
    await send(proxy.port);
    const counts = await countsOf(proxy);
    return counts.writes.length >= 2 && counts;
  });
  // Workers KV rejects less than a minute.
  for (const { ttl } of writes) assert.ok(ttl >= 60, `a TTL of ${ttl} s`);
});

test("a_namespace_that_misbehaves_costs_only_time", async (t) => {
  for (const kind of ["rejects", "hangs", "garbage", "full"]) {
    const dead = await startOrigin(t, { behaviour: { dead: true } });
    const a = await startOrigin(t, { name: "a" });
    const proxy = await withStore(t, kind, { FETCH_TARGETS: `${dead.url},${a.url}` });
    const cold = await burst(proxy.port, 5);
    assert.deepEqual([...new Set(cold)], ["a"], kind);
    const warm = await burst(proxy.port, 20);
    assert.deepEqual([...new Set(warm)], ["a"], kind);
    assert.equal(a.probes.length, 1, kind);
    if (kind === "rejects" || kind === "full") {
      await eventually(`the operator is notified: ${kind}`, () =>
        proxy.said.some((line) => line.includes('"event":"store_failed"')),
      );
    }
  }
});

test("a_key_is_written_once_a_second_at_most", async (t) => {
  const origins: Origin[] = [];
  for (const name of ["a", "b", "c"]) {
    const signed = { headers: [["server", "cloudflare"]] } as const;
    origins.push(await startOrigin(t, { name, behaviour: { health: signed } }));
  }
  const targets = origins.map(({ url }) => url).join(",");
  const proxy = await withStore(t, "counted", { FETCH_TARGETS: targets });
  await send(proxy.port);
  await eventually("the first decision is written", async () => {
    return (await countsOf(proxy)).writes.length === 1;
  });
  // Every failover is a change to be written at once: two in a moment.
  const down = { status: 521, headers: [["server", "cloudflare"]] } as const;
  for (let change = 0; change < 2; change += 1) {
    const name = (await send(proxy.port)).body.toString();
    await origins.find((origin) => origin.name === name)?.behave({ health: down, answers: [down] });
    await send(proxy.port);
  }
  await sleep(2_500);
  const { writes } = await countsOf(proxy);
  assert.ok(writes.length >= 2, "a change was not written");
  for (const [index, { at }] of writes.entries()) {
    const before = writes[index - 1]?.at ?? 0;
    assert.ok(at - before >= 950, `${at - before} ms between two writes`);
  }
});

test("probes_leave_a_connection_to_the_request", async (t) => {
  let now = 0;
  let most = 0;
  const origins: Origin[] = [];
  for (let index = 0; index < 9; index += 1) {
    const origin = await startOrigin(t, {
      isProbe: () => false,
      behaviour: {
        answers: (_request, response) => {
          now += 1;
          most = Math.max(most, now);
          setTimeout(() => {
            now -= 1;
            response.end("ok");
          }, 200);
        },
      },
    });
    origins.push(origin);
  }
  const targets = origins.map(({ url }) => url).join(",");
  const proxy = await startProxy(t, { FETCH_TARGETS: targets, FETCH_MAX_PROBES: "9" });
  assert.equal((await send(proxy.port)).status, 200);
  await eventually("all are probed", () => origins.every(({ seen }) => seen.length > 0));
  assert.ok(most <= 6, `${most} connections at once`);
});
