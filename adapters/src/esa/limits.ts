/** What ESA can do, as far as the engine needs to know it. */

import type { Limits } from "../engine/interface.js";

/** With a namespace of EdgeKV. Of the four subrequests at a time one is the live request's. */
export const LIMITS = { store: "edge-kv", maxProbes: 3 } as const satisfies Limits;
