/** Where settings come from. */

/**
 * The settings that are given, by name: of several sources that have one, the
 * first counts. A source may be anything that a runtime hands over. Values may be
 * JSON where a configuration file is: a list of targets, a number, a flag.
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

/** An empty variable is one that nobody filled in. */
function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
