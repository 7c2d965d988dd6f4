/**
 * The settings as options of a handler: `targets` for FETCH_TARGETS, `healthPath` for
 * FETCH_HEALTH_PATH, and so on. Their names and types follow from the settings.
 */

import type { Settings } from "./settings.js";

/** `A_LONG_NAME` as `ALongName`. */
type Pascal<S extends string> = S extends `${infer Word}_${infer Rest}`
  ? `${Capitalize<Lowercase<Word>>}${Pascal<Rest>}`
  : Capitalize<Lowercase<S>>;

type OptionOf<Name extends string> = Name extends `FETCH_${infer Rest}`
  ? Uncapitalize<Pascal<Rest>>
  : Uncapitalize<Pascal<Name>>;

/** Each setting by its name as an option. */
export type SettingOptions = {
  readonly [Name in keyof Settings as OptionOf<Name>]: Settings[Name];
};

/** The name of the option for a setting: the same as by `OptionOf`. */
export function optionOf(setting: string): string {
  const words = setting.replace(/^FETCH_/, "").toLowerCase();
  return words.replace(/_(.)/g, (_, first: string) => first.toUpperCase());
}

/** The settings that may be arrays. */
const LISTS: ReadonlySet<string> = new Set([
  "FETCH_TARGETS",
  "FETCH_CACHE_ADAPTER",
  "FETCH_RETRY_METHODS",
  "FETCH_RETRY_STATUSES",
  "FETCH_SWITCH_MARGIN",
]);

/** Where settings come from, the first source that has one counts. */
export interface Sources {
  /** By their names as options. */
  readonly options: object;
  readonly env: Settings | undefined;
  /** The process environment. */
  readonly environment: (name: string) => string | undefined;
}

/** Throws a `TypeError` for a value of a type that the setting cannot have. */
export function settingsOf(
  names: readonly string[],
  { options, env, environment }: Sources,
): [name: string, value: string][] {
  const given: Readonly<Record<string, unknown>> = { ...env };
  const settings: [string, string][] = [];
  for (const name of names) {
    const option: unknown = Reflect.get(options, optionOf(name));
    const value =
      option === undefined
        ? textOf(name, given[name] ?? environment(name), `the setting ${name}`)
        : textOf(name, option, `the option \`${optionOf(name)}\``);
    if (value !== undefined) settings.push([name, value]);
  }
  return settings;
}

/** Throws a `TypeError` for an option that is neither a setting nor one of `others`. */
export function assertKnown(
  options: object,
  names: readonly string[],
  others: readonly string[],
): void {
  const known = new Set([...names.map(optionOf), ...others]);
  for (const option of Object.keys(options)) {
    if (known.has(option)) continue;
    const setting = names.includes(option)
      ? `: write \`${optionOf(option)}\`, or put it in \`env\``
      : "";
    throw new TypeError(`there is no option \`${option}\`${setting}`);
  }
}

/** `what`: the setting, as its user calls it. */
function textOf(name: string, value: unknown, what: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  if (typeof value === "boolean" || Number.isFinite(value)) return String(value);
  const isList = LISTS.has(name);
  const isTargets = name === "FETCH_TARGETS";
  const isEntry = (one: unknown) =>
    typeof one === "string" || (isTargets ? isObject(one) : Number.isInteger(one));
  if (isList && Array.isArray(value) && value.every(isEntry)) return JSON.stringify(value);
  const wanted = isTargets
    ? "a string or an array of strings and of objects with a url"
    : isList
      ? "a string or an array of strings and whole numbers"
      : "a string, a number or a boolean";
  throw new TypeError(`${what} is ${kindOf(value)}: give ${wanted}`);
}

function isObject(value: unknown): boolean {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "number") return String(value);
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
