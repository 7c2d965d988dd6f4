/** The engine in plain JavaScript, for hosts without WebAssembly. */

import { instantiateCore } from "../../generated/engine.core.js";
import type { Engine } from "./interface.js";

/** A new engine. */
export function instantiate(): Engine {
  return instantiateCore().engine;
}
