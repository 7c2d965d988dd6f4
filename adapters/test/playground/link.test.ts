/** What a link says. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { read, USUAL_POLICIES, write } from "../../../playground/link.js";

const KNOWN = [...USUAL_POLICIES, "oracle"];

test("a_link_says_the_same_again", () => {
  const link = {
    preset: "flapping",
    seed: 4294967295,
    policies: ["ours", "oracle"],
    instances: "short" as const,
    changes: [
      { tick: 210, target: 2, ms: 80 },
      { tick: 210, target: 2, fault: "hang-in-region" as const },
      { tick: 1405, target: 4, ms: 500 },
    ],
    language: "zh",
  };
  const written = write(link);
  assert.equal(
    written,
    "#preset=flapping&seed=4294967295&policies=ours,oracle&instances=short&lang=zh&changes=210c.80,210c.hang-in-region,1405e.500",
  );
  assert.deepEqual(read(written, KNOWN), { ...link, bad: [] });
});

test("no_link_is_the_first_preset", () => {
  const { preset, seed, policies, instances, changes, language, bad } = read("", KNOWN);
  assert.deepEqual(
    { preset, seed, policies, instances, changes, language, bad },
    {
      preset: "hangs",
      seed: 1,
      policies: USUAL_POLICIES,
      instances: "long",
      changes: [],
      language: undefined,
      bad: [],
    },
  );
});

test("what_means_nothing_is_left_out_and_named", () => {
  const read_ = read(
    "#preset=__proto__&seed=-1&policies=ours,nobody&instances=some&changes=1f.80,2a.4,3a.501,4a.explode,5a.none,xa.80,6a.",
    KNOWN,
  );
  assert.deepEqual(read_.bad, [
    "preset=__proto__",
    "seed=-1",
    "instances=some",
    "nobody",
    ...["1f.80", "2a.4", "3a.501", "4a.explode", "xa.80", "6a."],
  ]);
  assert.deepEqual(
    [read_.preset, read_.seed, read_.policies, read_.changes],
    ["hangs", 1, ["ours"], [{ tick: 5, target: 0, fault: "none" }]],
  );
  for (const seed of ["4294967296", "1.5", "1e3", "99999999999999", "", "七"]) {
    assert.deepEqual(read(`#seed=${seed}`, KNOWN).bad, [`seed=${seed}`], seed);
  }
});

test("changes_are_played_in_order_of_time", () => {
  const { changes } = read("#changes=9a.80,3b.slow,9a.85", KNOWN);
  assert.deepEqual(changes, [
    { tick: 3, target: 1, fault: "slow" },
    { tick: 9, target: 0, ms: 80 },
    { tick: 9, target: 0, ms: 85 },
  ]);
});
