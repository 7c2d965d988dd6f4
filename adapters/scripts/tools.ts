/** The tools that make JavaScript of a module as Rust's compiler left it: jco and binaryen. */

import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** The package's folder. */
export const HERE = join(import.meta.dirname, "..");

export const WASM_OPT = "binaryen/bin/wasm-opt";
export const WASM2JS = "binaryen/bin/wasm2js";
const JCO = "@bytecodealliance/jco/src/jco.js";

/** The features of WebAssembly beyond its first version that the core may use. */
export const FEATURES = [
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-multivalue",
  "--enable-mutable-globals",
  "--enable-nontrapping-float-to-int",
  "--enable-sign-ext",
];

/** Runs a tool of `node_modules`. */
export function run(tool: string, ...args: string[]): void {
  const script = join(HERE, "node_modules", tool);
  execFileSync(process.execPath, [script, ...args], { stdio: ["ignore", "ignore", "inherit"] });
}

/**
 * `NAME.js` with its types, and `NAME.core.wasm`, of the module of a crate whose WIT is in `wit`.
 */
export function transpile(
  built: string,
  name: string,
  wit: string,
  level: "-O3" | "-Oz",
  folder: string,
): void {
  const component = join(folder, "component.wasm");
  run(JCO, "new", built, "--output", component);
  run(
    JCO,
    ...["transpile", component, "--name", name, "--out-dir", folder, "--quiet"],
    ...["--instantiation", "sync", "--no-nodejs-compat", "--no-namespaced-exports"],
    "--valid-lifting-optimization",
  );
  rmSync(component);
  if (readFileSync(join(folder, `${name}.js`), "utf8").includes("BigInt")) {
    throw new Error(
      `${wit} has a 64-bit integer, or a variant that overlays an f64 with a string: slow to pass, and wasm2js cannot`,
    );
  }
  const core = join(folder, `${name}.core.wasm`);
  run(WASM_OPT, core, ...FEATURES, level, "--strip-debug", "--strip-producers", "-o", core);
}
