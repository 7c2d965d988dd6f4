// One run of the simulation from its start on: in steps of a tenth of a second, with what is changed at which step, and
// what was seen in the last two minutes.

import { PRESETS, TARGETS, TICKS_PER_SECOND } from "./presets.js";
import { Report } from "./report.js";

/**
 * @import * as generated from "./generated/interfaces/function-fetch-playground-simulation.js"
 * @import { Change, Fault } from "./presets.js"
 * @import { Link } from "./link.js"
 * @typedef {typeof generated} Simulation
 * @typedef {{ ms: number, fault: Fault }} Condition
 * @typedef {{ sent: Uint32Array, p50Ms?: number, p99Ms?: number }} Column
 *   the requests sent to each target in a second, and the latencies of the ten seconds that end with it
 */

/** How many seconds the charts show. */
export const COLUMNS = 120;

/** The figures are those of so many ms. */
const LATELY_MS = 10_000;

/** Probes are few: they are counted for longer. */
const MINUTE_MS = 60_000;

const MS_PER_TICK = 1_000 / TICKS_PER_SECOND;

export class Run {
  /**
   * @param {Simulation} simulation
   * @param {Link} link
   */
  constructor(simulation, link) {
    const preset = /** @type {import("./presets.js").Preset} */ (PRESETS[link.preset]);
    this.link = link;
    this.tick = 0;
    /** What targets are like now.
     * @type {Condition[]} */
    this.conditions = TARGETS.map((_, target) => ({ ms: preset.ms[target] ?? 0, fault: "none" }));
    /** The last seconds of each policy, the latest last.
     * @type {Column[][]} */
    this.columns = link.policies.map(() => []);
    /** What Function Fetch has told. */
    this.report = new Report();
    /** What is to come; what was changed by hand comes after the preset's of the same moment, as it did then. */
    this.coming = [...preset.changes, ...link.changes].sort((a, b) => a.tick - b.tick);
    this.simulation = simulation;
    this.drawn = simulation.start(
      link.seed,
      link.policies,
      this.conditions.map(({ ms, fault }) => ({ roundTripMs: ms, fault })),
      link.instances,
    );
    this.meet();
  }

  /** Goes on by a tenth of a second. */
  step() {
    this.tick += 1;
    this.simulation.advance(this.tick * MS_PER_TICK);
    this.meet();
    if (this.tick % TICKS_PER_SECOND === 0) this.look();
  }

  /**
   * A person changes a target now.
   * @param {Omit<Change, "tick">} change
   */
  change(change) {
    const made = { tick: this.tick, ...change };
    const last = this.link.changes.at(-1);
    const isSame = last?.tick === made.tick && last.target === made.target;
    // A slider says more in a tenth of a second than anyone wants to have in a link.
    if (isSame && last.ms !== undefined && made.ms !== undefined) this.link.changes.pop();
    this.link.changes.push(made);
    this.apply(made);
  }

  /** @type {(policy: number) => generated.Sample} */
  lately(policy) {
    return this.simulation.lately(policy, LATELY_MS);
  }

  /** How many probes a policy has sent in the last minute.
   * @type {(policy: number) => number} */
  probes(policy) {
    return sum(this.simulation.lately(policy, MINUTE_MS).probes);
  }

  /** Changes that are due. */
  meet() {
    while (this.coming[0] !== undefined && this.coming[0].tick <= this.tick) {
      this.apply(/** @type {Change} */ (this.coming.shift()));
    }
  }

  /** @param {Omit<Change, "tick">} change */
  apply({ target, ms, fault }) {
    const known = /** @type {Condition} */ (this.conditions[target]);
    const condition = { ms: ms ?? known.ms, fault: fault ?? known.fault };
    this.conditions[target] = condition;
    this.simulation.change(target, { roundTripMs: condition.ms, fault: condition.fault });
  }

  /** Notes the second that has gone by. */
  look() {
    this.columns.forEach((columns, policy) => {
      const { p50Ms, p99Ms } = this.lately(policy);
      const { sent } = this.simulation.lately(policy, 1_000);
      columns.push({ sent, p50Ms, p99Ms });
      if (columns.length > COLUMNS) columns.shift();
    });
    const ours = this.link.policies.indexOf("ours");
    if (ours >= 0) this.report.add(this.simulation.takeTold(ours));
  }
}

/** @type {(counts: Iterable<number>) => number} */
export function sum(counts) {
  let sum = 0;
  for (const count of counts) sum += count;
  return sum;
}
