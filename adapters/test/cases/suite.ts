/** The whole table on one host, a test for each case. */

import { describe, it } from "node:test";
import type { CaseHost } from "./host.js";
import { runCase } from "./run.js";
import { type Case, readTable } from "./table.js";

/** The longest that a case may take, ms. */
const LIMIT = 60_000;

/**
 * What these groups show hangs on who answers first, or within the time for a
 * read of the store: not to be asked while many others start on the same cores.
 */
const MEASURED: ReadonlySet<string> = new Set(["cold_start", "parallel", "store", "timeouts"]);

export function runTable(host: CaseHost): void {
  const register = (one: Case) => {
    const skip = one.skipped(host.name) ?? false;
    void it(`${host.name}::${one.id}`, { skip, timeout: LIMIT }, () => runCase(one, host));
  };
  const table = readTable();
  const isMeasured = ({ group }: Case) => MEASURED.has(group);
  void describe(`the table of cases on ${host.name}`, { concurrency: host.atOnce }, () => {
    table.filter((one) => !isMeasured(one)).forEach(register);
  });
  void describe(`what is measured, on ${host.name}`, { concurrency: host.measuredAtOnce }, () => {
    table.filter(isMeasured).forEach(register);
  });
}
