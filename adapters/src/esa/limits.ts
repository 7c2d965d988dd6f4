/** ESA's limits, as far as the engine needs them. */

import type { Limits } from "../engine/interface.js";

/** With an EdgeKV namespace. Of the four concurrent subrequests, one is the live request's. */
export const LIMITS = { store: "edge-kv", maxProbes: 3 } as const satisfies Limits;
