/**
 * Makes `generated/` of the engine as Rust's compiler left it: jco's glue, the
 * core in WebAssembly, and the same core in plain JavaScript for hosts without
 * WebAssembly. Called by `cargo xtask build --edge`:
 *
 *     npm run generate -- function_fetch_edge.wasm
 */

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";
import { FEATURES, HERE, run, transpile, WASM_OPT, WASM2JS } from "./tools.js";

const GENERATED = join(HERE, "generated");

/** `wasm2js` supports only the first version: these passes replace the newer instructions. */
const LOWERING = [
  "--llvm-memory-copy-fill-lowering",
  "--signext-lowering",
  "--llvm-nontrapping-fptoint-lowering",
];

/** `engine.core.js`: the core in plain JavaScript. */
function translate(folder: string): void {
  const core = join(folder, "engine.core.wasm");
  const lowered = join(folder, "lowered.wasm");
  const translated = join(folder, "translated.js");
  run(WASM_OPT, core, ...FEATURES, ...LOWERING, "-Oz", "-o", lowered);
  // In Emscripten's form it is a function that creates an instance, not a module that is
  // one.
  run(WASM2JS, lowered, "--emscripten", "-Oz", "-o", translated);
  const source = readFileSync(translated, "utf8") + instantiateCore(readFileSync(core));
  const { code } = transformSync(source, { minify: true, format: "esm", target: "es2022" });
  writeFileSync(join(folder, "engine.core.js"), code);
  writeFileSync(
    join(folder, "engine.core.d.ts"),
    `/** A new instance of the core, without WebAssembly: for the third parameter of engine.js's \`instantiate\`. */
export function instantiateCore(): WebAssembly.Instance;
`,
  );
  rmSync(lowered);
  rmSync(translated);
}

/** `wasm2js` turns the exports' names into identifiers, but jco's glue uses the names. */
function instantiateCore(core: Uint8Array<ArrayBuffer>): string {
  const exports = WebAssembly.Module.exports(new WebAssembly.Module(core));
  const properties = exports.map(
    ({ name }) => `${JSON.stringify(name)}: core.${name.replace(/\W/g, "_")}`,
  );
  return `
export function instantiateCore() {
  const core = instantiate();
  return { exports: { ${properties.join(", ")} } };
}
`;
}

/** The core as text, for hosts whose code may be bundled into one file and moved. */
function text(wasm: string, folder: string): void {
  const core = readFileSync(wasm).toString("base64");
  writeFileSync(join(folder, "engine.core.text.js"), `export const CORE = "${core}";\n`);
  writeFileSync(
    join(folder, "engine.core.text.d.ts"),
    `/** \`engine.core.wasm\`, in base64. */
export const CORE: string;
`,
  );
}

function report(folder: string): void {
  console.log(
    `${"generated".padEnd(16)} ${"bytes".padStart(9)} ${"gzip".padStart(9)}  (scripts minified)`,
  );
  for (const name of ["engine.js", "engine.core.wasm", "engine.core.js"]) {
    let bytes: Uint8Array = readFileSync(join(folder, name));
    if (name.endsWith(".js")) {
      const { code } = transformSync(Buffer.from(bytes).toString(), {
        minify: true,
        format: "esm",
      });
      bytes = Buffer.from(code);
    }
    const gzip = gzipSync(bytes, { level: 9 }).length;
    console.log(
      `${name.padEnd(16)} ${String(bytes.length).padStart(9)} ${String(gzip).padStart(9)}`,
    );
  }
}

const [built, ...rest] = process.argv.slice(2);
if (built === undefined || rest.length > 0) {
  console.error("usage: npm run generate -- MODULE (cargo xtask build --edge calls it)");
  process.exit(2);
}
// Renamed when complete, so that no other process sees half of it.
const folder = join(HERE, `.generated-${process.pid}`);
mkdirSync(folder);
try {
  transpile(built, "engine", "wit/engine.wit", "-Oz", folder);
  translate(folder);
  text(join(folder, "engine.core.wasm"), folder);
  report(folder);
  rmSync(GENERATED, { recursive: true, force: true });
  renameSync(folder, GENERATED);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
