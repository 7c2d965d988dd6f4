/** The engine, as `wit/engine.wit` describes it. The types are generated from there. */

import type * as generated from "../../generated/interfaces/function-fetch-edge-engine.js";

export type * from "../../generated/interfaces/function-fetch-edge-engine.js";

/** One instance, for one configuration. */
export type Engine = typeof generated;
