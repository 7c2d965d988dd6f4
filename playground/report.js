// What Function Fetch reports, in words: the lines of all locations, alike ones together.

import { TARGETS } from "./presets.js";
import { isWord } from "./words.js";

/**
 * @import { Region, Told } from "./generated/interfaces/function-fetch-playground-simulation.js"
 * @import { Say } from "./words.js"
 * @typedef {{ atMs: number, line: Record<string, unknown>, kind: string, locations: Set<number> }} Entry
 */

/** Alike lines of so long are one entry. */
const TOGETHER_MS = 10_000;

/** How many entries are kept: as many as are read at a glance. */
export const MOST = 12;

export class Report {
  /** The latest last.
   * @type {Entry[]} */
  entries = [];

  /** @param {readonly Told[]} told */
  add(told) {
    for (const { atMs, location, line: text } of told) {
      /** @type {Record<string, unknown>} */
      const line = JSON.parse(text);
      // How long a target is out differs by chance.
      const kind = JSON.stringify({ ...line, for_ms: undefined });
      const known = this.entries.findLast(
        (entry) => entry.kind === kind && atMs - entry.atMs <= TOGETHER_MS,
      );
      if (known !== undefined) known.locations.add(location);
      else this.entries.push({ atMs, line, kind, locations: new Set([location]) });
    }
    this.entries.splice(0, Math.max(0, this.entries.length - MOST));
  }
}

/**
 * Whose line it is.
 * @param {Entry} entry
 * @param {readonly Region[]} regions each location's
 * @param {Say} say
 */
export function whose({ locations }, regions, say) {
  const [first = 0] = locations;
  if (locations.size > 1) return say("told.locations", { count: locations.size });
  const region = say(`region.${regions[first] ?? "europe"}`);
  return say("told.location", { number: first + 1, region });
}

/** @type {(entry: Entry, say: Say) => string} */
export function words({ line }, say) {
  const word = `told.${line.event}`;
  // An event that this page does not know is shown as it is.
  if (!isWord(word)) return JSON.stringify(line);
  const reason = `reason.${line.reason}`;
  return say(word, {
    target: name(line.target),
    from: name(line.from),
    to: name(line.to),
    operation: String(line.operation),
    reason: isWord(reason) ? say(reason) : String(line.reason),
  });
}

/** `https://t02` is the third target.
 * @type {(address: unknown) => string} */
function name(address) {
  const number = /^https:\/\/t(\d+)$/.exec(String(address))?.[1];
  return TARGETS[Number(number)] ?? String(address);
}
