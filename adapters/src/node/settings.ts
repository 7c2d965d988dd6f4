/** The settings on Node.js: those of the option `env`, else of the process environment. */

import type { Engine } from "../engine/interface.js";
import type { Settings } from "../settings.js";

/** The settings that may be arrays. */
const LISTS: ReadonlySet<string> = new Set([
  "FETCH_TARGETS",
  "FETCH_CACHE_ADAPTER",
  "FETCH_RETRY_METHODS",
  "FETCH_RETRY_STATUSES",
  "FETCH_SWITCH_MARGIN",
]);

/** Throws a `TypeError` for a value of a type that the setting cannot have. */
export function settingsOf(engine: Engine, env: Settings = {}): [name: string, value: string][] {
  const given: Readonly<Record<string, unknown>> = { ...env };
  const settings: [string, string][] = [];
  for (const name of engine.settingNames()) {
    const value = textOf(name, given[name] ?? process.env[name]);
    if (value !== undefined) settings.push([name, value]);
  }
  return settings;
}

function textOf(name: string, value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (typeof value === "boolean" || Number.isFinite(value)) return String(value);
  const isList = LISTS.has(name);
  const isTargets = name === "FETCH_TARGETS";
  const isEntry = (one: unknown) => typeof one === "string" || (isTargets && isObject(one));
  if (isList && Array.isArray(value) && value.every(isEntry)) return JSON.stringify(value);
  const wanted = isTargets
    ? "a string or an array of strings and of objects with a url"
    : isList
      ? "a string or an array of strings"
      : "a string, a number or a boolean";
  throw new TypeError(`the setting ${name} is ${kindOf(value)}: give ${wanted}`);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
