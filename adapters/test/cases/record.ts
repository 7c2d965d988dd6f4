/** The record that instances leave in the store (crates/engine/src/record.rs), made anew here: the format is a contract. */

import type { RecordPlan } from "./format.js";

/** A target as the record's hash takes it: normalised, without a trailing slash. */
export interface CaseTarget {
  readonly url: string;
  /** The upstream that it leads to. */
  readonly upstream: string;
}

const WITHOUT_MEASUREMENT = {};

/** The targets of a setting, in any of its forms; what leads to no upstream is left out. */
export function caseTargets(
  setting: string,
  authorities: ReadonlyMap<string, string>,
): CaseTarget[] {
  const urls = new Set(
    entries(setting)
      .filter((text) => URL.canParse(text))
      .map(normalised),
  );
  return [...urls].flatMap((url) => {
    const { host } = new URL(url);
    const known = [...authorities].find(([, authority]) => authority === host);
    return known === undefined ? [] : [{ url, upstream: known[0] }];
  });
}

function entries(setting: string): string[] {
  if (!setting.trim().startsWith("[")) return setting.split(/[\s,]+/);
  try {
    const list: unknown = JSON.parse(setting);
    return Array.isArray(list) ? list.filter((entry) => typeof entry === "string") : [];
  } catch {
    // A case about what is no JSON: it has no targets.
    return [];
  }
}

function normalised(text: string): string {
  const { origin, pathname } = new URL(text);
  return origin + pathname.replace(/\/+$/, "");
}

/** The record's text. `now` in ms since the Unix epoch. */
export function makeRecord(
  plan: RecordPlan,
  targets: readonly CaseTarget[],
  healthPath: string,
  now: number,
): string {
  const primary = targets.findIndex(({ upstream }) => upstream === plan.primary);
  if (primary < 0) throw new Error(`the record's primary, ${plan.primary}, is no target`);
  return JSON.stringify({
    v: 1,
    at: now - plan.age,
    hash: fnv1a([healthPath, ...targets.map(({ url }) => url)].join("\n")),
    primary,
    targets: targets.map(({ upstream }) => {
      const ms = plan.ms.get(upstream);
      return ms === undefined ? WITHOUT_MEASUREMENT : { ms, n: plan.n.get(upstream) ?? 3 };
    }),
    ...plan.but,
  });
}

/** FNV-1a, 32 bits, in hexadecimal. */
function fnv1a(text: string): string {
  const hash = Buffer.from(text).reduce(
    (sum, byte) => Math.imul(sum ^ byte, 0x01000193) >>> 0,
    0x811c9dc5,
  );
  return hash.toString(16).padStart(8, "0");
}
