/** Runs of the real simulator, as the page makes them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { read, write } from "../../../playground/link.js";
import { FAULTS, TICKS_PER_SECOND } from "../../../playground/presets.js";
import { MOST, Report, whose, words } from "../../../playground/report.js";
import { COLUMNS, Run, sum } from "../../../playground/run.js";
import { sayer } from "../../../playground/words.js";
import { load } from "./simulation.js";

const simulation = await load();

function start(fragment: string): Run {
  const { bad, ...link } = read(fragment, simulation.policies());
  assert.deepEqual(bad, []);
  return new Run(simulation, link);
}

function goTo(run: Run, second: number): void {
  while (run.tick < second * TICKS_PER_SECOND) run.step();
}

/** The share of the requests of a policy that went to C in the last ten seconds. */
function shareOfC(run: Run, name: string): number {
  const { sent } = run.lately(run.link.policies.indexOf(name));
  return (sent[2] ?? 0) / sum(sent);
}

test("each_preset_moves_our_traffic_and_hurts_more_elsewhere", () => {
  for (const preset of ["hangs", "brown-out", "lying-health"]) {
    const run = start(`#preset=${preset}&policies=ours,round-robin,cache-the-fastest`);
    goTo(run, 35);
    assert.ok(shareOfC(run, "ours") > 0.9, preset);
    // It began 40 s after the start.
    goTo(run, 110);
    assert.equal(run.conditions[2]?.fault !== "none", true, preset);
    assert.ok(shareOfC(run, "ours") < 0.05, `${preset}: ${shareOfC(run, "ours")}`);
    // The original learns of nothing that it does not have to.
    assert.ok(shareOfC(run, "cache-the-fastest") > 0.3, preset);
    const [ours, turns] = [run.lately(0), run.lately(1)];
    assert.ok((ours.p99Ms ?? 0) < (turns.p99Ms ?? Number.POSITIVE_INFINITY), preset);
    const { entries } = run.report;
    assert.ok(
      entries.some(({ kind }) => kind.includes("https://t02")),
      `${preset} is reported`,
    );
  }
});

test("a_bad_region_is_felt_there_alone", () => {
  const run = start("#preset=bad-region&policies=ours");
  goTo(run, 80);
  const bad = run.drawn.locations.filter((region) => region === run.drawn.badRegion).length;
  const away = 1 - shareOfC(run, "ours");
  const expected = bad / run.drawn.locations.length;
  assert.ok(Math.abs(away - expected) < 0.1, `${away} of ${expected}`);
});

test("a_link_shows_to_the_digit_what_was_done_by_hand", () => {
  const figures = (run: Run) => [run.lately(0), run.lately(1), run.columns, run.report.entries];
  const run = start("#preset=hangs&seed=7&policies=ours,p2c-peak-ewma");
  goTo(run, 25);
  run.change({ target: 0, ms: 30 });
  run.change({ target: 0, ms: 20 });
  // At the moment at which the preset breaks C.
  goTo(run, 40);
  run.change({ target: 2, fault: "slow" });
  run.change({ target: 2, ms: 10 });
  goTo(run, 61.7);
  run.change({ target: 0, fault: "flap" });
  goTo(run, 90);
  const link = write(run.link);
  assert.ok(!link.includes(".30"), "what a slider passed in a tenth of a second is left out");
  const shown = figures(run);
  const again = start(link);
  goTo(again, 90);
  assert.deepEqual(figures(again), shown);
  assert.deepEqual(again.conditions, run.conditions);

  const other = start(link.replace("seed=7", "seed=8"));
  goTo(other, 90);
  assert.notDeepEqual(figures(other), shown);
});

test("every_fault_of_the_page_is_one_of_the_simulator", () => {
  const run = start("#preset=steady&policies=ours");
  for (const fault of FAULTS) run.change({ target: 1, fault });
  goTo(run, 5);
  assert.ok(run.lately(0).requests > 100);
});

test("memory_stays_flat", () => {
  const run = start("#preset=flapping&policies=ours");
  goTo(run, COLUMNS + 100);
  assert.equal(run.columns[0]?.length, COLUMNS);
  const report = new Report();
  for (let n = 0; n < 500; n += 1) {
    const line = JSON.stringify({ event: "recovered", target: `https://t0${n % 5}` });
    report.add([{ atMs: n * 4_000, location: n % 12, line }]);
  }
  assert.equal(report.entries.length, MOST);
});

test("reports_of_several_locations_are_one_entry", () => {
  const report = new Report();
  const say = sayer("en");
  const told = (atMs: number, location: number, line: object) => ({
    atMs,
    location,
    line: JSON.stringify({ source: "function-fetch", ...line }),
  });
  const change = { event: "primary_changed", from: "https://t02", to: "https://t00" };
  report.add([
    told(1_000, 3, { ...change, reason: "failover" }),
    told(1_500, 4, { ...change, reason: "failover" }),
    ...[1, 2].map((for_ms) =>
      told(2_000, 4, { event: "ejected", target: "https://t02", reason: "status 503", for_ms }),
    ),
    told(60_000, 3, { ...change, reason: "failover" }),
    told(61_000, 0, { event: "something_new", of: "later" }),
  ]);
  const regions = start("#seed=1").drawn.locations;
  const lines = report.entries.map(
    (entry) => `${words(entry, say)} (${whose(entry, regions, say)})`,
  );
  assert.equal(lines[0], "from C to A (the other one failed) (2 locations)");
  assert.match(lines[1] ?? "", /^C gets no requests for now: status 503 \(location 5, /);
  assert.match(lines[2] ?? "", /^from C to A/);
  assert.match(lines[3] ?? "", /something_new/);
});
