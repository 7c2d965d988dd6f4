/**
 * Makes `generated/` of the engine as Rust's compiler left it: its core in
 * WebAssembly with jco's glue, and in plain JavaScript with a glue of its own.
 * Called by `cargo xtask build --edge`:
 *
 *     npm run generate -- function_fetch_edge.wasm
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { transformSync } from "esbuild";
import { plainCore } from "./plain-core.js";

const HERE = join(import.meta.dirname, "..");
const GENERATED = join(HERE, "generated");
const WIT = join(HERE, "..", "wit", "engine.wit");

/** What the core may use of WebAssembly beyond its first version. */
const FEATURES = [
  "--enable-bulk-memory",
  "--enable-bulk-memory-opt",
  "--enable-multivalue",
  "--enable-mutable-globals",
  "--enable-nontrapping-float-to-int",
  "--enable-sign-ext",
];

/** `wasm2js` knows only the first version, so the rest is written out before. */
const LOWERING = [
  "--llvm-memory-copy-fill-lowering",
  "--signext-lowering",
  "--llvm-nontrapping-fptoint-lowering",
];

/** Loops and blocks anew from what jumps where, which is less JavaScript; twice, since each finds something. */
const RELOOPED = ["--flatten", "--rereloop", "-Oz"];

const JCO = "@bytecodealliance/jco/src/jco.js";
const WASM_OPT = "binaryen/bin/wasm-opt";
const WASM2JS = "binaryen/bin/wasm2js";

/** Where the glue hands a text to the core. */
const ENCODE = "let buf = utf8Encoder.encode(s);";

/**
 * A method is a few letters of ASCII, and a host's own encoder takes longer for
 * it than the engine for its decision.
 */
const SHORT_ASCII = `
    if (s.length < 32) {
      let ascii = 0;
      while (s.charCodeAt(ascii) < 128) ascii++;
      if (ascii === s.length) {
        const ptr = realloc(0, 0, 1, ascii);
        const bytes = new Uint8Array(memory.buffer, ptr, ascii);
        for (let at = 0; at < ascii; at++) bytes[at] = s.charCodeAt(at);
        utf8EncodedLen = ascii;
        return ptr;
      }
    }
    `;

function run(tool: string, ...words: string[]): void {
  const script = join(HERE, "node_modules", tool);
  execFileSync(process.execPath, [script, ...words], { stdio: ["ignore", "ignore", "inherit"] });
}

/** Replaces what must be there exactly once: the tool that wrote it may have changed. */
function replaceOnce(text: string, what: string, by: string, tool: string): string {
  const parts = text.split(what);
  if (parts.length !== 2) {
    throw new Error(`${tool} writes something else now: ${parts.length - 1} times ${what}`);
  }
  return parts.join(by);
}

/** The glue of the core in WebAssembly. */
function glue(built: string, folder: string): void {
  const component = join(folder, "component.wasm");
  run(JCO, "new", built, "--output", component);
  run(
    JCO,
    ...["transpile", component, "--name", "engine", "--out-dir", folder, "--quiet"],
    ...["--instantiation", "sync", "--no-nodejs-compat", "--no-namespaced-exports"],
    "--valid-lifting-optimization",
  );
  const file = join(folder, "engine.js");
  const code = replaceOnce(readFileSync(file, "utf8"), ENCODE, SHORT_ASCII + ENCODE, "jco");
  if (code.includes("BigInt")) {
    throw new Error(
      "wit/engine.wit has a 64-bit integer, or lays an f64 over a string in a variant: slow to pass, and wasm2js cannot",
    );
  }
  writeFileSync(file, code);
  rmSync(component);
}

/** The engine as a plain JavaScript module. */
function plain(wasm: string, folder: string): void {
  const lowered = join(folder, "lowered.wasm");
  const translated = join(folder, "translated.js");
  run(
    WASM_OPT,
    wasm,
    ...FEATURES,
    ...LOWERING,
    ...RELOOPED,
    ...RELOOPED,
    "--converge",
    "-o",
    lowered,
  );
  run(WASM2JS, lowered, "-Oz", "-o", translated);
  const source = plainCore(readFileSync(translated, "utf8"), readFileSync(WIT, "utf8"));
  const { code } = transformSync(source, { minify: true, format: "esm", target: "es2022" });
  if (code.includes("WebAssembly")) {
    throw new Error("the plain core mentions WebAssembly, which some hosts do not have");
  }
  writeFileSync(join(folder, "engine.core.js"), code);
  writeFileSync(
    join(folder, "engine.core.d.ts"),
    `import type * as engine from "./interfaces/function-fetch-edge-engine.js";

/** A new engine, without WebAssembly, and the memory that it has. */
export function instantiateCore(): {
  readonly engine: typeof engine;
  readonly memory: { readonly buffer: ArrayBuffer };
};
`,
  );
  rmSync(lowered);
  rmSync(translated);
}

/** The core as text, for hosts whose code may be put into one file, and that file anywhere. */
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
// Beside the folder that it becomes, so that nobody ever sees half of it.
const folder = join(HERE, `.generated-${process.pid}`);
mkdirSync(folder);
try {
  glue(built, folder);
  const wasm = join(folder, "engine.core.wasm");
  run(
    WASM_OPT,
    wasm,
    ...FEATURES,
    "-Oz",
    "--converge",
    "--strip-debug",
    "--strip-producers",
    "-o",
    wasm,
  );
  plain(wasm, folder);
  text(wasm, folder);
  report(folder);
  rmSync(GENERATED, { recursive: true, force: true });
  renameSync(folder, GENERATED);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
