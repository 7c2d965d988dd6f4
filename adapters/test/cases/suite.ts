/** The whole table on one host, a test for each case. */

import { describe, it } from "node:test";
import type { CaseHost } from "./host.js";
import { runCase } from "./run.js";
import { type Case, readTable } from "./table.js";

/** The longest that a case may take, ms. */
const LIMIT = 60_000;

export function runTable(host: CaseHost): void {
  const register = (one: Case) => {
    const skip = one.skipped(host.name) ?? false;
    void it(`${host.name}::${one.id}`, { skip, timeout: LIMIT }, () => runCase(one, host));
  };
  const table = readTable();
  void describe(`the table of cases on ${host.name}`, { concurrency: host.atOnce }, () => {
    table.filter((one) => !one.plantsARecord).forEach(register);
  });
  // A read of the store has 250 ms, and then counts as failed: too little beside others that start.
  void describe(`a record in the store of ${host.name}`, { concurrency: 1 }, () => {
    table.filter((one) => one.plantsARecord).forEach(register);
  });
}
