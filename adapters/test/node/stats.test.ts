/** The counts for monitoring, and the notices as objects. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { counting } from "../../examples/metrics.js";
import type { Event, Stats } from "../../src/node/index.js";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { eventually } from "../support/waiting.js";
import { startProxy } from "./proxy.js";

/** Sums over what was told. */
function total(told: readonly Stats[], of: (stats: Stats) => number): number {
  return told.reduce((sum, stats) => sum + of(stats), 0);
}

test("on_stats_gets_every_attempt_even_those_that_are_relayed_at_once", async (t) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const origin = await startOrigin(t);
  const told: Stats[] = [];
  const proxy = await startProxy(t, {
    env: {
      FETCH_TARGETS: [dead.url, origin.url],
      FETCH_CACHE_ADAPTER: "none",
      FETCH_STATS_SECONDS: 1,
    },
    onStats: (stats) => told.push(stats),
  });
  for (let n = 0; n < 5; n += 1) await send(proxy.port);
  await eventually("the counts are told", () => total(told, ({ requests }) => requests) === 5);
  const at = (place: number) => (stats: Stats) => stats.targets[place]?.attempts ?? 0;
  assert.deepEqual([total(told, at(0)), total(told, at(1))], [5, 5]);
  assert.equal(
    total(told, (stats) => stats.targets[1]?.retries ?? 0),
    5,
  );
  const outcomes = told.flatMap((stats) => stats.targets[0]?.answers ?? []);
  assert.ok(outcomes.every(({ error, status }) => error !== undefined && status === undefined));
  assert.deepEqual(proxy.said, [], "they are not lines as well");

  await send(proxy.port);
  await proxy.handler.close();
  assert.equal(
    total(told, ({ requests }) => requests),
    6,
    "what is left is told at the end",
  );
});

test("counts_are_lines_without_on_stats_and_nothing_without_the_setting", async (t) => {
  const origin = await startOrigin(t);
  const quiet = await startProxy(t, { env: { FETCH_TARGETS: origin.url } });
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: origin.url, FETCH_STATS_SECONDS: "1" },
  });
  await send(quiet.port);
  await send(proxy.port);
  const line = await eventually("the counts are a line", () => proxy.said[0]);
  const { source, event, requests } = JSON.parse(line);
  assert.deepEqual([source, event, requests], ["function-fetch", "stats", 1]);
  await quiet.handler.close();
  assert.deepEqual(quiet.said, []);
});

test("on_event_gets_the_notices_as_objects", async (t) => {
  const origin = await startOrigin(t);
  const events: Event[] = [];
  await startProxy(t, {
    env: { FETCH_TARGETS: origin.url, FETCH_MAX_ATTEMPTS: "many" },
    log: undefined,
    onEvent: (event) => events.push(event),
  });
  const [bad] = events;
  assert.ok(bad?.event === "bad_setting");
  assert.equal(bad.setting, "FETCH_MAX_ATTEMPTS");
});

test("the_example_adds_up", () => {
  const values = new Map<string, number>();
  class Counter {
    constructor(private readonly about: { name: string }) {}
    inc(labels: object, by: number) {
      const key = `${this.about.name} ${Object.values(labels).join(" ")}`;
      values.set(key, (values.get(key) ?? 0) + by);
    }
  }
  class Gauge {
    constructor(private readonly about: { name: string }) {}
    set(labels: object, value: number) {
      values.set(`${this.about.name} ${Object.values(labels).join(" ")}`, value);
    }
  }
  const count = counting({ Counter, Gauge });
  const stats: Stats = {
    for_ms: 1000,
    requests: 3,
    targets: [
      {
        target: "http://a",
        healthy: true,
        attempts: 3,
        retries: 1,
        hedges: 0,
        ejections: 0,
        failed_probes: 0,
        probes: { counts: [], sum_ms: 0 },
        answers: [{ method: "GET", status: 200, times: { counts: [1, 2], sum_ms: 9 } }],
      },
    ],
    store: { reads: 0, failed_reads: 0, writes: 0, failed_writes: 0 },
  };
  count(stats);
  count(stats);
  assert.equal(values.get("function_fetch_attempts_total http://a"), 6);
  assert.equal(values.get("function_fetch_answers_total http://a GET 200"), 6);
  assert.equal(values.get("function_fetch_target_healthy http://a"), 1);
});
