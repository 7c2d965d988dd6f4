/** The engine in WebAssembly, for Node.js. */

import { readFileSync } from "node:fs";
import type { Engine } from "./interface.js";
import { instantiate as link } from "./wasm.js";

let compiled: WebAssembly.Module | undefined;

/** A new engine. The first one compiles the core, which takes some milliseconds. */
export function instantiate(): Engine {
  // By the package's own name, so that it is found from the sources and from `dist` alike.
  const file = new URL(import.meta.resolve("function-fetch/engine.core.wasm"));
  compiled ??= new WebAssembly.Module(readFileSync(file));
  return link(compiled);
}
