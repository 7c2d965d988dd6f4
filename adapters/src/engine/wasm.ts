/** The engine in WebAssembly. */

import { instantiate as link } from "../../generated/engine.js";
import type { Engine } from "./interface.js";

/**
 * A new engine. How a host comes by the compiled core, `engine.core.wasm`, is its
 * own business: some may compile nothing at run time.
 */
export function instantiate(core: WebAssembly.Module): Engine {
  return link(() => core, {}).engine;
}
