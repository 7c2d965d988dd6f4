/** `function-fetch --check`: lists every problem with the settings, one a line. */

import { instantiate } from "../engine/node.js";
import { problemsOf } from "../engine/problems.js";

/** Returns the exit code: 1 when there is any problem. */
export function check(env: NodeJS.ProcessEnv, print: (line: string) => void): number {
  const engine = instantiate();
  const names = engine.settingNames();
  const settings: [string, string][] = [];
  for (const name of names) {
    const value = env[name];
    if (value !== undefined) settings.push([name, value]);
  }
  const { targets } = engine.configure(settings, { store: "custom" }, 0);
  const problems = problemsOf(engine);
  for (const name of Object.keys(env)) {
    if (name.startsWith("FETCH_") && !names.includes(name)) {
      problems.push(`${name}: no such setting; remove it`);
    }
  }
  for (const problem of problems) print(problem);
  print(targets.length === 0 ? "No usable target" : "Targets:");
  for (const { origin, basePath, tier, weight } of targets) {
    const note = tier === 1 && weight === 1 ? "" : ` (tier ${tier}, weight ${weight})`;
    print(`  ${origin}${basePath}${note}`);
  }
  print(problems.length === 0 ? "No problems" : "Some settings cannot be used");
  return problems.length === 0 ? 0 : 1;
}
