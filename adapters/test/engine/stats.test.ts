/** The same as in crates/component/src/stats.rs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { statsLine, statsOf } from "../../src/driver/stats.js";
import type { Stats } from "../../src/engine/interface.js";

const COUNTS: Stats = {
  forMs: 10_000,
  requests: 3,
  targets: [
    {
      target: "http://a",
      healthy: true,
      attempts: 3,
      retries: 1,
      hedges: 0,
      ejections: 0,
      failedProbes: 1,
      probes: { counts: Uint32Array.of(1), sum: 2.5 },
      answers: [
        { method: "GET", status: 200, times: { counts: Uint32Array.of(0, 2), sum: 14 } },
        {
          method: "GET",
          error: "connection_refused",
          times: { counts: Uint32Array.of(1), sum: 0.5 },
        },
      ],
    },
  ],
  store: { reads: 1, failedReads: 0, writes: 0, failedWrites: 0 },
  primary: "http://a",
  measuredAt: 1_790_000_000_000,
};

const LINE =
  '{"source":"function-fetch","event":"stats","for_ms":10000,"requests":3,' +
  '"targets":[{"target":"http://a","healthy":true,"attempts":3,"retries":1,"hedges":0,"ejections":0,' +
  '"failed_probes":1,"probes":{"counts":[1],"sum_ms":2.5},' +
  '"answers":[{"method":"GET","status":200,"times":{"counts":[0,2],"sum_ms":14}},' +
  '{"method":"GET","error":"connection_refused","times":{"counts":[1],"sum_ms":0.5}}]}],' +
  '"store":{"reads":1,"failed_reads":0,"writes":0,"failed_writes":0},' +
  '"primary":"http://a","measured_at":1790000000000}';

test("counts_are_one_line_of_json", () => {
  // The order of members is not part of the format.
  assert.deepEqual(JSON.parse(statsLine(statsOf(COUNTS))), JSON.parse(LINE));
});
