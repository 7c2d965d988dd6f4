/**
 * Writes `src/esa-env.js`: the settings for `dist/esa.js` to have baked in, for
 * ESA accounts whose routines get no variables. They come from the environment,
 * else from `.env` in the current folder:
 *
 *     npm run gen:esa-env
 *     npm run gen:esa-env -- --empty     # none, whatever the environment has
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseEnv } from "node:util";
import { instantiate } from "../src/engine/node.js";
import { problemsOf } from "../src/engine/problems.js";
import { LIMITS } from "../src/esa/limits.js";

const OUTPUT = join(import.meta.dirname, "..", "src", "esa-env.js");

type Pairs = [name: string, value: string][];

function environment(): NodeJS.Dict<string> {
  const file = existsSync(".env") ? parseEnv(readFileSync(".env", "utf8")) : {};
  return { ...file, ...process.env };
}

/** The problems with the settings, as the engine reports them. */
function problemsWith(settings: Pairs): string[] {
  const engine = instantiate();
  engine.configure(settings, LIMITS, 0);
  // Without any, they are expected from the console.
  return problemsOf(
    engine,
    settings.some(([name]) => name === "FETCH_TARGETS"),
  );
}

/** Returns the exit code. */
function generate(env: NodeJS.Dict<string>): number {
  const names = instantiate().settingNames();
  const settings: Pairs = names.flatMap((name) => {
    const value = env[name];
    return value === undefined || value === "" ? [] : [[name, value]];
  });
  const problems = problemsWith(settings);
  for (const name of Object.keys(env)) {
    if (name.startsWith("FETCH_") && !names.includes(name)) {
      problems.push(`${name}: no such setting; remove it`);
    }
  }
  if (problems.length > 0) {
    for (const problem of problems) console.error(problem);
    console.error("Nothing was written: some settings cannot be used.");
    return 1;
  }
  const source = JSON.stringify(Object.fromEntries(settings), undefined, 2);
  writeFileSync(OUTPUT, `export const BAKED = ${source};\n`);
  // Only names: values may be secrets, and this goes to logs.
  const file = relative(process.cwd(), OUTPUT);
  if (settings.length === 0) {
    console.log(`${file}: no settings. Set them in ESA's console; FETCH_TARGETS is required.`);
  } else {
    console.log(`${file}: ${settings.map(([name]) => name).join(", ")}`);
  }
  return 0;
}

const words = process.argv.slice(2);
if (words.some((word) => word !== "--empty")) {
  console.error("usage: npm run gen:esa-env [-- --empty]");
  process.exit(2);
}
process.exit(generate(words.length > 0 ? {} : environment()));
