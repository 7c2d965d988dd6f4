/** The engine in WebAssembly, for Node.js. */

import { CORE } from "../../generated/engine.core.text.js";
import type { Engine } from "./interface.js";
import { instantiate as link } from "./wasm.js";

let compiled: WebAssembly.Module | undefined;

/** A new engine. The first one compiles the core, which takes some milliseconds. */
export function instantiate(): Engine {
  // A part of the code, so that bundlers take it along wherever the code goes.
  compiled ??= new WebAssembly.Module(Buffer.from(CORE, "base64"));
  return link(compiled);
}
