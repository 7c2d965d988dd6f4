// What the URL's fragment says, so that a link shows the same again: the seed, the preset, the policies, and what was
// changed when. `#preset=hangs&seed=7&changes=312c.80,405b.slow`: 31.2 s after the start C is 80 ms away, and B slow from
// 40.5 s on.

import { FAULTS, FIRST_PRESET, PRESETS, TARGETS } from "./presets.js";

/**
 * @import { Change } from "./presets.js"
 * @import { Lifetime } from "./generated/interfaces/function-fetch-playground-simulation.js"
 * @typedef {{ preset: string, seed: number, policies: string[], instances: Lifetime, changes: Change[],
 *   language?: string }} Link
 */

export const LARGEST_SEED = 2 ** 32 - 1;
export const NEAREST_MS = 5;
export const FARTHEST_MS = 500;

/** How long instances live, for who comes without a link first. */
export const LIFETIMES = /** @type {const} */ (["long", "short"]);

/** Who is shown beside Function Fetch, for who comes without a link. */
export const USUAL_POLICIES = [
  "ours",
  "cache-the-fastest",
  "round-robin",
  "p2c-peak-ewma",
  "outlier-detection",
  "static-order",
];

/**
 * What a fragment says; `bad` are the parts of it that say nothing, which are left out.
 * @param {string} fragment
 * @param {readonly string[]} known the names of all policies
 * @returns {Link & { bad: string[] }}
 */
export function read(fragment, known) {
  const given = new URLSearchParams(fragment.replace(/^#/, ""));
  /** @type {string[]} */
  const bad = [];
  const preset = given.get("preset") ?? FIRST_PRESET;
  const isPreset = Object.hasOwn(PRESETS, preset);
  if (!isPreset) bad.push(`preset=${preset}`);
  const seed = readSeed(given.get("seed") ?? "1");
  if (seed === undefined) bad.push(`seed=${given.get("seed")}`);
  const instances = given.get("instances") ?? LIFETIMES[0];
  const lifetime = LIFETIMES.find((known) => known === instances);
  if (lifetime === undefined) bad.push(`instances=${instances}`);
  const asked = list(given.get("policies"));
  const policies = known.filter((name) => asked.includes(name));
  bad.push(...asked.filter((name) => !known.includes(name)));
  /** @type {Change[]} */
  const changes = [];
  for (const word of list(given.get("changes"))) {
    const change = readChange(word);
    if (change === undefined) bad.push(word);
    else changes.push(change);
  }
  // Stable: changes of one moment stay in the order in which they were made.
  changes.sort((a, b) => a.tick - b.tick);
  return {
    preset: isPreset ? preset : FIRST_PRESET,
    seed: seed ?? 1,
    policies: policies.length > 0 ? policies : USUAL_POLICIES,
    instances: lifetime ?? LIFETIMES[0],
    changes,
    language: given.get("lang") ?? undefined,
    bad,
  };
}

/**
 * @param {Link} link
 * @returns {string} with its `#`
 */
export function write({ preset, seed, policies, instances, changes, language }) {
  const parts = [`preset=${preset}`, `seed=${seed}`];
  if (policies.join() !== USUAL_POLICIES.join()) parts.push(`policies=${policies.join()}`);
  if (instances !== LIFETIMES[0]) parts.push(`instances=${instances}`);
  if (language !== undefined) parts.push(`lang=${language}`);
  if (changes.length > 0) parts.push(`changes=${changes.flatMap(words).join()}`);
  return `#${parts.join("&")}`;
}

/** @type {(text: string) => number | undefined} */
export function readSeed(text) {
  const seed = /^\d{1,10}$/.test(text) ? Number(text) : LARGEST_SEED + 1;
  return seed <= LARGEST_SEED ? seed : undefined;
}

/** @type {(text: string | null) => string[]} */
function list(text) {
  return (text ?? "").split(",").filter((word) => word !== "");
}

/** @type {(change: Change) => string[]} */
function words({ tick, target, ms, fault }) {
  const start = `${tick}${TARGETS[target]?.toLowerCase()}.`;
  return [ms, fault].filter((value) => value !== undefined).map((value) => start + value);
}

/** @type {(word: string) => Change | undefined} */
function readChange(word) {
  const parts = /^(\d{1,9})([a-z])\.([a-z-]+|\d{1,4})$/.exec(word);
  if (parts === null) return undefined;
  const [, tick, name = "", value = ""] = parts;
  const target = TARGETS.indexOf(name.toUpperCase());
  if (target < 0) return undefined;
  const change = { tick: Number(tick), target };
  if (/^\d/.test(value)) {
    const ms = Number(value);
    return ms >= NEAREST_MS && ms <= FARTHEST_MS ? { ...change, ms } : undefined;
  }
  const fault = FAULTS.find((fault) => fault === value);
  return fault === undefined ? undefined : { ...change, fault };
}
