/**
 * The whole of Function Fetch for Alibaba Cloud ESA, to be bundled into one file
 * that is pasted into the console:
 *
 *     npm run gen:esa-env && npm run build:esa
 *
 * The settings that `gen:esa-env` found are built in. Those that the runtime
 * passes override them.
 */

import { createEdgeRoutine } from "./esa/index.js";
import { BAKED } from "./esa-env.js";

export default createEdgeRoutine({ env: BAKED });
