/** EdgeKV as the shared store: seldom written, and no request waits for it. */

import assert from "node:assert/strict";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { eventually, sleep } from "../support/waiting.js";
import type { Emulation } from "./emulation.js";
import { inEach, KEY, routineTo } from "./scene.js";

/** Long enough for any pending write, ms. */
const SETTLED = 300;

async function storedBy(routine: Emulation): Promise<string> {
  return eventually("the decision is in EdgeKV", () => routine.stored(KEY));
}

inEach("the_decision_is_shared_under_a_legal_key", async (t, runtime) => {
  const origins = [await startOrigin(t), await startOrigin(t)];
  const first = await routineTo(t, runtime, origins);
  await send(first.port);
  const record = await storedBy(first);
  assert.equal(JSON.parse(record).v, 1);
  const probes = () => origins.reduce((sum, { probes }) => sum + probes.length, 0);
  const before = probes();
  // Another instance finds it there, and measures nothing.
  const kv = { namespace: "decisions", entries: { [KEY]: record } };
  const second = await routineTo(t, runtime, origins, { kv });
  assert.equal((await send(second.port)).status, 200);
  await sleep(SETTLED);
  assert.equal(probes(), before);
  assert.deepEqual((await second.report()).refused, []);
});

inEach("fifty_cold_requests_make_one_round", async (t, runtime) => {
  const health = { delay: 100 };
  const origins = [
    await startOrigin(t, { behaviour: { health } }),
    await startOrigin(t, { behaviour: { health: { delay: 200 } } }),
  ];
  const routine = await routineTo(t, runtime, origins);
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(routine.port)));
  assert.ok(answers.every(({ status }) => status === 200));
  await storedBy(routine);
  await sleep(SETTLED);
  assert.deepEqual(
    origins.map(({ probes }) => probes.length),
    [1, 1],
  );
  assert.equal((await routine.report()).kv.puts, 1);
});

inEach("five_hundred_warm_requests_write_at_most_once", async (t, runtime) => {
  const origin = await startOrigin(t);
  const routine = await routineTo(t, runtime, [origin, await startOrigin(t)]);
  await send(routine.port);
  await storedBy(routine);
  const before = (await routine.report()).kv;
  for (let batch = 0; batch < 25; batch += 1) {
    await Promise.all(Array.from({ length: 20 }, () => send(routine.port)));
  }
  await sleep(SETTLED);
  const after = (await routine.report()).kv;
  assert.ok(after.puts - before.puts <= 1);
  assert.equal(after.gets, before.gets);
});

for (const behaviour of ["rejects", "hangs", "garbage"] as const) {
  inEach(`edge_kv_that_${behaviour}_changes_nothing`, async (t, runtime) => {
    const dead = await startOrigin(t, { behaviour: { dead: true } });
    const origin = await startOrigin(t, { name: "alive" });
    const kv = { namespace: "decisions", behaviour };
    const routine = await routineTo(t, runtime, [dead, origin], { kv });
    for (let requests = 0; requests < 3; requests += 1) {
      const answer = await send(routine.port);
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString(), "alive");
    }
    assert.deepEqual((await routine.report()).refused, []);
  });
}

inEach("without_a_namespace_memory_is_used_and_the_operator_is_notified", async (t, runtime) => {
  const origins = [await startOrigin(t), await startOrigin(t)];
  const routine = await routineTo(t, runtime, origins, { env: { ESA_KV_NAMESPACE: "" } });
  assert.equal((await send(routine.port)).status, 200);
  assert.ok(routine.said.some((line) => /ESA_KV_NAMESPACE.*memory only/.test(line)));
  assert.equal((await routine.report()).kv.gets, 0);
});

inEach("memory_alone_by_choice_is_not_reported", async (t, runtime) => {
  const env = { ESA_KV_NAMESPACE: "", FETCH_CACHE_ADAPTER: "memory" };
  const routine = await routineTo(t, runtime, [await startOrigin(t)], { env });
  assert.equal((await send(routine.port)).status, 200);
  assert.ok(!routine.said.some((line) => line.includes("ESA_KV_NAMESPACE")));
});

inEach("a_namespace_that_does_not_exist_is_a_store_that_fails", async (t, runtime) => {
  const env = { ESA_KV_NAMESPACE: "nobody-made-it" };
  const routine = await routineTo(t, runtime, [await startOrigin(t)], { env });
  assert.equal((await send(routine.port)).status, 200);
});

inEach("a_round_is_passed_to_wait_until", async (t, runtime) => {
  // The emulation rejects work that continues after the response without
  // `waitUntil`.
  const slow = { behaviour: { health: { delay: 400 } } };
  const origins = [await startOrigin(t), await startOrigin(t, slow)];
  const routine = await routineTo(t, runtime, origins);
  assert.equal((await send(routine.port)).status, 200);
  await storedBy(routine);
  const { refused } = await routine.report();
  assert.deepEqual(refused, []);
});
