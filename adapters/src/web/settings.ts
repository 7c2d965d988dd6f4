/** The settings on hosts with WHATWG APIs: from whatever objects the runtime passes. */

/**
 * The settings that are given, by name; the first source that has one counts. A
 * source may be anything that a runtime passes. Values may be JSON where the
 * configuration file is: a list of targets, a number, a flag.
 */
export function settingsOf(
  names: readonly string[],
  sources: readonly unknown[],
): [name: string, value: string][] {
  const objects = sources.filter((source) => typeof source === "object" && source !== null);
  const settings: [string, string][] = [];
  for (const name of names) {
    for (const source of objects) {
      const value = textOf(Reflect.get(source, name));
      if (value === undefined) continue;
      settings.push([name, value]);
      break;
    }
  }
  return settings;
}

/** An empty variable counts as not set. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
