/** The whole table on one host, a test for each case. */

import { describe, it } from "node:test";
import type { CaseHost } from "./host.js";
import { runCase } from "./run.js";
import { readTable } from "./table.js";

/** Cases mostly wait: for probes, for time-outs. */
const AT_ONCE = 8;

/** The longest that a case may take, ms. */
const LIMIT = 60_000;

export function runTable(host: CaseHost): void {
  void describe(`the table of cases on ${host.name}`, { concurrency: AT_ONCE }, () => {
    for (const one of readTable()) {
      const skip = one.skipped(host.name) ?? false;
      void it(`${host.name}::${one.id}`, { skip, timeout: LIMIT }, () => runCase(one, host));
    }
  });
}
