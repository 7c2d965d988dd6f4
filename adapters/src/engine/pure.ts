/** The engine in plain JavaScript, for hosts without WebAssembly. */

import { instantiateCore } from "../../generated/engine.core.js";
import { instantiate as link } from "../../generated/engine.js";
import type { Engine } from "./interface.js";

/** A new engine. */
export function instantiate(): Engine {
  // There is no compiled module, and `instantiateCore` wants none.
  return link(() => ({}), {}, instantiateCore).engine;
}
