/**
 * The text of the shared record, as JavaScript hosts keep it in their stores.
 *
 * What is not a record goes to the engine as text, since a plain URL is valid,
 * too. Wrong types, deep nesting, halves of surrogate pairs, and numbers that are
 * text or out of range are a miss, as they are on Rust hosts
 * (`crates/component/src/record.rs`).
 */

import type {
  DecisionRecord,
  Ejection,
  HalfOpen,
  LatencyTrial,
  Live,
  LogTimes,
  Pairs,
  Stored,
  Tally,
  TargetRecord,
} from "../engine/interface.js";

/** A record is a few hundred bytes; a larger value was not written by us. */
const MAX_BYTES = 64 * 1024;

/** How deep values may be nested; a record's are four deep. */
const MOST_LEVELS = 8;

/** Half of a surrogate pair, which is not valid text. */
const HALF = /\p{Surrogate}/u;

/** The value to store. */
export function encode(record: DecisionRecord): string {
  const { version: v, at, hash, primary, standsInFor, targets, trial, pairs, told } = record;
  const shown = targets.map(shownTarget);
  return JSON.stringify({
    ...{ v, at, hash, primary, for: standsInFor, targets: shown },
    trial: trial && { to: trial.challenger, own: triple(trial.own), other: triple(trial.other) },
    pairs: pairs && [pairs.blamed, pairs.shared],
    told,
  });
}

function shownTarget(target: TargetRecord): object {
  const { n, fail, latency: ms, at, until, lastEjection, live, aside } = target;
  const { liveAnswers: seen, halfOpen: half } = target;
  return {
    ...{ n, fail, ms, at, until },
    last: lastEjection && [lastEjection.ends, lastEjection.length],
    live: live && [live.mean, live.variance],
    seen: seen && [seen.good, seen.bad, seen.at],
    half: half && { ...half, passed: triple(half.passed) },
    aside,
  };
}

function triple({ count, mean, squares }: LogTimes): [number, number, number] {
  return [count, mean, squares];
}

/** Reads a stored value, whatever the store has returned. */
export function decode(value: unknown): Stored {
  const text = typeof value === "string" && isSmall(value) ? value : "";
  try {
    return { tag: "record", val: recordOf(JSON.parse(text)) };
  } catch {
    return { tag: "text", val: text };
  }
}

function isSmall(text: string): boolean {
  return text.length <= MAX_BYTES && new TextEncoder().encode(text).length <= MAX_BYTES;
}

function recordOf(value: unknown): DecisionRecord {
  check(value, MOST_LEVELS);
  const { v, at, hash, primary, for: standsInFor, targets, trial, pairs, told } = members(value);
  return {
    hash: text(hash),
    version: count(v),
    at: number(at),
    primary: count(primary),
    standsInFor: optional(standsInFor, count),
    targets: list(targets).map(targetOf),
    trial: optional(trial, trialOf),
    pairs: optional(pairs, pairsOf),
    told: optional(told, text),
  };
}

function targetOf(value: unknown): TargetRecord {
  const { n = 0, fail = 0, ms, at, until, last, live, seen, half, aside } = members(value);
  return {
    n: count(n),
    fail: count(fail),
    latency: optional(ms, number),
    at: optional(at, number),
    until: optional(until, number),
    lastEjection: optional(last, ejection),
    live: optional(live, liveOf),
    liveAnswers: optional(seen, tallyOf),
    halfOpen: optional(half, halfOpenOf),
    aside: optional(aside, number),
  };
}

/** Throws unless any JSON value is shallow, and its texts and numbers can be passed to the engine. */
function check(value: unknown, levels: number): void {
  insist(levels > 0);
  if (typeof value === "string") insist(!HALF.test(value));
  if (typeof value === "number") number(value);
  if (typeof value !== "object" || value === null) return;
  for (const [name, member] of Object.entries(value)) {
    insist(!HALF.test(name));
    check(member, levels - 1);
  }
}

function members(value: unknown): Record<string, unknown> {
  insist(typeof value === "object" && value !== null && !Array.isArray(value));
  return { ...value };
}

function list(value: unknown): unknown[] {
  insist(Array.isArray(value));
  return value;
}

function ejection(value: unknown): Ejection {
  const [ends, length] = numbers(value, 2);
  return { ends, length };
}

function liveOf(value: unknown): Live {
  const [mean, variance] = numbers(value, 2);
  return { mean, variance };
}

function tallyOf(value: unknown): Tally {
  const [good, bad, at] = numbers(value, 3);
  return { good, bad, at };
}

function halfOpenOf(value: unknown): HalfOpen {
  const { passed, limit, next } = members(value);
  return { passed: timesOf(passed), limit: optional(limit, number), next: number(next) };
}

function trialOf(value: unknown): LatencyTrial {
  const { to, own, other } = members(value);
  return { challenger: count(to), own: timesOf(own), other: timesOf(other) };
}

function timesOf(value: unknown): LogTimes {
  const [count, mean, squares] = numbers(value, 3);
  return { count, mean, squares };
}

function pairsOf(value: unknown): Pairs {
  const [blamed, shared] = numbers(value, 2);
  return { blamed, shared };
}

interface Tuple {
  2: [number, number];
  3: [number, number, number];
}

function numbers<N extends keyof Tuple>(value: unknown, size: N): Tuple[N] {
  const all = list(value);
  insist(all.length === size);
  return all.map((one) => number(one)) as Tuple[N];
}

function text(value: unknown): string {
  insist(typeof value === "string");
  return value;
}

function number(value: unknown): number {
  insist(typeof value === "number" && Number.isFinite(value));
  return value;
}

/** An unsigned integer of 32 bits. */
function count(value: unknown): number {
  const whole = number(value);
  insist(Number.isInteger(whole) && whole >= 0 && whole < 2 ** 32);
  return whole;
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined || value === null ? undefined : read(value);
}

function insist(so: boolean): asserts so {
  if (!so) throw new TypeError("not a record");
}
