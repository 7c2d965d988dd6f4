/** ESA allows one request four subrequests at a time: the emulation rejects a fifth. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Sending } from "../../src/driver/platform.js";
import { Subrequests } from "../../src/esa/subrequests.js";
import { send } from "../support/client.js";
import { onlyValue } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { eventually, sleep } from "../support/waiting.js";
import { inEach, routineTo } from "./scene.js";

const SLOW = 400;

inEach("a_round_beside_a_live_request_keeps_to_four", async (t, runtime) => {
  // The first is healthy at once, so that the request proceeds while five are still
  // measured.
  const origins = [
    await startOrigin(t, { behaviour: { answers: [{ delay: 2 * SLOW }] } }),
    ...(await Promise.all(
      Array.from({ length: 5 }, () => startOrigin(t, { behaviour: { health: { delay: SLOW } } })),
    )),
  ];
  const routine = await routineTo(t, runtime, origins);
  assert.equal((await send(routine.port)).status, 200);
  await eventually("all are measured", () => origins.every(({ probes }) => probes.length > 0));
  const { most, refused } = await routine.report();
  assert.equal(most, 4);
  assert.deepEqual(refused, []);
});

inEach("hedges_beside_a_round_keep_to_four", async (t, runtime) => {
  const behaviour = { answers: [{ delay: 3 * SLOW }], health: { delay: SLOW } };
  const first = await startOrigin(t, { behaviour: { answers: [{ delay: 3 * SLOW }] } });
  const origins = [
    first,
    ...(await Promise.all(Array.from({ length: 5 }, () => startOrigin(t, { behaviour })))),
  ];
  const env = { FETCH_HEDGE_MS: "30", FETCH_MAX_ATTEMPTS: "6" };
  const routine = await routineTo(t, runtime, origins, { env });
  assert.equal((await send(routine.port)).status, 200);
  assert.ok(origins.filter(({ seen }) => seen.length > 0).length > 1, "something was hedged");
  const { most, refused } = await routine.report();
  assert.ok(most > 1 && most <= 4);
  assert.deepEqual(refused, []);
});

inEach("a_raced_cold_start_keeps_to_four", async (t, runtime) => {
  const behaviour = { answers: [{ delay: SLOW }], health: { delay: SLOW } };
  const origins = await Promise.all(
    Array.from({ length: 6 }, (_, at) => startOrigin(t, { name: `o${at}`, behaviour })),
  );
  const env = { FETCH_COLD_START: "race", FETCH_MAX_ATTEMPTS: "6" };
  const routine = await routineTo(t, runtime, origins, { env });
  assert.equal((await send(routine.port)).status, 200);
  const { most, refused } = await routine.report();
  assert.ok(most > 1 && most <= 4);
  assert.deepEqual(refused, []);
});

inEach("failed_attempts_free_their_slot", async (t, runtime) => {
  const dead = await Promise.all(
    Array.from({ length: 5 }, () => startOrigin(t, { behaviour: { answers: [{ status: 503 }] } })),
  );
  const origins = [...dead, await startOrigin(t, { name: "alive" })];
  const env = { FETCH_CACHE_ADAPTER: "none", FETCH_MAX_ATTEMPTS: "6" };
  const routine = await routineTo(t, runtime, origins, { env });
  const answer = await send(routine.port);
  assert.equal(answer.body.toString(), "alive");
  assert.deepEqual((await routine.report()).refused, []);
});

for (const unreachable of ["throws", "status"] as const) {
  inEach(
    `a_dead_target_is_skipped_when_the_runtime_says_so_by_${unreachable}`,
    async (t, runtime) => {
      const dead = await startOrigin(t, { behaviour: { dead: true } });
      const origins = [dead, await startOrigin(t, { name: "alive" })];
      // In list order, so that the dead one is tried.
      const env = { FETCH_CACHE_ADAPTER: "none", FETCH_EXPLAIN: "true" };
      const routine = await routineTo(t, runtime, origins, { env, unreachable });
      const answer = await send(routine.port, { method: "POST", body: "once" });
      assert.equal(answer.status, 200);
      assert.equal(answer.body.toString(), "alive");
      assert.match(onlyValue(answer.headers, "proxy-status") ?? "", /attempt 2/);
      assert.equal(origins[1]?.seen[0]?.body.toString(), "once");
    },
  );
}

inEach("targets_by_address_are_reported", async (t, runtime) => {
  const origin = await startOrigin(t);
  const env = { FETCH_TARGETS: `${origin.url},http://localhost:${origin.port}` };
  const routine = await routineTo(t, runtime, [], { env });
  const answer = await send(routine.port);
  assert.equal(answer.status, 200);
  assert.ok(routine.said.some((line) => line.includes(`${origin.url}: ESA fetches by name only`)));
});

/** A subrequest that ends when the test says so. */
function work(): { sending: Sending<string>; begun: boolean; start(): Sending<string> } {
  const sending = { result: new Promise<string>(() => {}), abort: () => {} };
  const one = {
    sending,
    begun: false,
    start() {
      one.begun = true;
      return sending;
    },
  };
  return one;
}

test("live_subrequests_go_before_probes", () => {
  const subrequests = new Subrequests();
  const first = subrequests.begin("live", work().start);
  const probes = Array.from({ length: 3 }, () => subrequests.begin("probe", work().start));
  const [probe, live] = [work(), work()];
  subrequests.begin("probe", probe.start);
  subrequests.begin("live", live.start);
  assert.equal(first.waited >= 0, true);
  probes[0]?.end();
  assert.deepEqual([live.begun, probe.begun], [true, false]);
  probes[1]?.end();
  assert.equal(probe.begun, true);
});

test("one_slot_is_reserved_for_probes", () => {
  const subrequests = new Subrequests();
  for (let live = 0; live < 3; live += 1) subrequests.begin("live", work().start);
  const [live, probe] = [work(), work()];
  subrequests.begin("live", live.start);
  subrequests.begin("probe", probe.start);
  assert.deepEqual([live.begun, probe.begun], [false, true]);
});

test("a_queued_subrequest_that_is_aborted_never_begins", async () => {
  const subrequests = new Subrequests();
  const running = Array.from({ length: 3 }, () => subrequests.begin("live", work().start));
  const [given, next] = [work(), work()];
  const turn = subrequests.begin("live", given.start);
  subrequests.begin("live", next.start);
  await sleep(20);
  assert.ok(turn.waited >= 15);
  turn.abort();
  running[0]?.end();
  assert.deepEqual([given.begun, next.begun], [false, true]);
  // Ending it twice counts once.
  turn.abort();
  running[0]?.end();
  const more = work();
  subrequests.begin("live", more.start);
  assert.equal(more.begun, false);
});
