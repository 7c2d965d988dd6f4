/** The engine in WebAssembly, for bundlers that know a `.wasm` file as a compiled module: wrangler, miniflare. */

import core from "../../generated/engine.core.wasm";
import type { Engine } from "./interface.js";
import { instantiate as link } from "./wasm.js";

/** A new engine, at once: in the module's scope a Worker may instantiate what was compiled before. */
export function instantiate(): Engine {
  return link(core);
}
