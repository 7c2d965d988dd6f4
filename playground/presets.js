// What can be wrong with a target, and scenes in which something is.

/** The targets' names, in the order of the list that the policies get. */
export const TARGETS = ["A", "B", "C", "D", "E"];

/** As `wit/playground.wit` has them, and in the order of the page. */
export const FAULTS = /** @type {const} */ ([
  "none",
  "slow",
  "refuse",
  "hang",
  "stall-requests",
  "fail-requests",
  "fail-fast",
  "flap",
  "hang-in-region",
]);

/** Steps of the simulation in a second of virtual time. */
export const TICKS_PER_SECOND = 10;

/**
 * A change of a target at a moment: of its distance, of its fault, or of both.
 * @typedef {{ tick: number, target: number, ms?: number, fault?: Fault }} Change
 * @typedef {(typeof FAULTS)[number]} Fault
 * @typedef {{ ms: number[], changes: Change[] }} Preset
 */

/** The best is not the first of the list: nobody has measured before writing it down. */
const USUAL = [60, 90, 40, 140, 75];

/** The third, which is the best in all presets. */
const BEST = 2;

const seconds = (/** @type {number} */ count) => count * TICKS_PER_SECOND;

/** @type {(fault: Fault, from: number, to: number) => Change[]} */
const trouble = (fault, from, to) => [
  { tick: seconds(from), target: BEST, fault },
  { tick: seconds(to), target: BEST, fault: "none" },
];

/** @type {Record<string, Preset>} */
export const PRESETS = {
  hangs: { ms: USUAL, changes: trouble("hang", 40, 120) },
  "brown-out": { ms: USUAL, changes: trouble("slow", 40, 160) },
  flapping: { ms: [60, 90, 20, 140, 75], changes: trouble("flap", 40, 200) },
  "bad-region": { ms: USUAL, changes: trouble("hang-in-region", 40, 120) },
  "lying-health": { ms: USUAL, changes: trouble("stall-requests", 40, 160) },
  steady: { ms: [90, 42, 40, 140, 75], changes: [] },
};

/** The first one, for who comes without a link. */
export const FIRST_PRESET = "hangs";
