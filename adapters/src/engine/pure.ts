/** The engine in plain JavaScript, for hosts without WebAssembly. */

import { instantiateCore } from "../../generated/engine.core.js";
import { instantiate as link } from "../../generated/engine.js";
import type { Engine } from "./interface.js";

/** A new engine. */
export function instantiate(): Engine {
  // There is one core and nothing to compile; what stands for its module is never looked at.
  return link(() => NO_MODULE, {}, instantiateCore).engine;
}

const NO_MODULE: WebAssembly.Module = {};
