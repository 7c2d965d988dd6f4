/** The engine of the bundle, in place of `src/engine/node.ts`: its core is in the same file. */

import core from "engine-core";
import type { Engine } from "../../src/engine/interface.js";
import { instantiate as link } from "../../src/engine/wasm.js";

let compiled: WebAssembly.Module | undefined;

/** A new engine. The first one compiles the core, which takes some milliseconds. */
export function instantiate(): Engine {
  compiled ??= new WebAssembly.Module(core);
  return link(compiled);
}
