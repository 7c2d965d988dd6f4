/** The routine as ESA's own tool builds it from `dist/esa.js` and `esa.jsonc`. */

import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleEsa } from "../../scripts/esa-bundle.js";
import type { Settings } from "../../src/settings.js";

/**
 * What `esa-cli deploy` and `esa-cli commit` upload: what `esa.jsonc` names, once
 * more through esbuild, in an archive.
 */
interface Packing {
  default(
    entry: undefined,
    assets: undefined,
    minify: boolean,
    folder: string,
  ): Promise<{ readonly zip: { readAsText(name: string): string } }>;
}

/** `esa-cli dev`: the same, and then every identifier `cache` and `EdgeKV` gets another name. */
interface LocalBuild {
  default(options: { minify: boolean }): Promise<unknown>;
}

const PACKING = "esa-cli/dist/utils/compress.js";
const LOCAL = "esa-cli/dist/commands/dev/build.js";

let usual: Promise<string> | undefined;

/** The file of a deployment without built-in settings. */
export function built(): Promise<string> {
  usual ??= buildWith({});
  return usual;
}

/** The file for ESA, with these settings built in. */
export async function buildWith(baked: Settings): Promise<string> {
  const folder = temporary();
  mkdirSync(join(folder, "dist"));
  renameSync(await pasted(baked, folder), join(folder, "dist", "esa.js"));
  copyFileSync(join(import.meta.dirname, "..", "..", "esa.jsonc"), join(folder, "esa.jsonc"));
  const packing: Packing = await import(PACKING);
  const { zip } = await packing.default(undefined, undefined, false, folder);
  const file = join(folder, "routine.mjs");
  writeFileSync(file, zip.readAsText("routine/index.js"));
  return file;
}

/**
 * The file that `esa-cli dev` would run. It finds its project by the current
 * folder and a global.
 */
export async function buildForLocal(baked: Settings): Promise<string> {
  const folder = temporary();
  const entry = await pasted(baked, folder);
  const [before, id] = [process.cwd(), "test"];
  mkdirSync(join(folder, ".dev"));
  const devEntry = `export { default } from ${JSON.stringify(entry)};`;
  writeFileSync(join(folder, ".dev", `devEntry-${id}.js`), devEntry);
  const tool: LocalBuild = await import(LOCAL);
  Object.assign(globalThis, { id });
  process.chdir(folder);
  try {
    await tool.default({ minify: false });
  } finally {
    process.chdir(before);
    Reflect.deleteProperty(globalThis, "id");
  }
  return module(join(folder, ".dev", `index-${id}.js`));
}

/** `dist/esa.js`, as it is pasted into the console. */
export async function pasted(baked: Settings, folder = temporary()): Promise<string> {
  const env = join(folder, "esa-env.js");
  writeFileSync(env, `export const BAKED = ${JSON.stringify(baked)};\n`);
  const file = join(folder, "esa.js");
  writeFileSync(file, await bundleEsa(env));
  return module(file);
}

/** Outside of a package Node.js takes `.js` for a script. */
function module(file: string): string {
  const copy = `${file.slice(0, -".js".length)}.mjs`;
  writeFileSync(copy, readFileSync(file));
  return copy;
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "function-fetch-esa-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
