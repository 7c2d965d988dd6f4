/** Where settings come from: what the runtime hands over, else what was baked into the file. */

import type { Settings } from "../settings.js";

/**
 * The settings that are given, by name. ESA hands variables over as the third
 * argument of `fetch`, other runtimes as the second: whichever has one, counts.
 */
export function settingsOf(
  names: readonly string[],
  handed: readonly unknown[],
  baked: Settings,
): [name: string, value: string][] {
  const sources = [...handed, baked].filter((source) => typeof source === "object");
  const settings: [string, string][] = [];
  for (const name of names) {
    for (const source of sources) {
      const value = textOf(source === null ? undefined : Reflect.get(source, name));
      if (value === undefined) continue;
      settings.push([name, value]);
      break;
    }
  }
  return settings;
}

/** An empty variable is one that nobody filled in. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
