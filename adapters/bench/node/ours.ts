/** Function Fetch with its default settings. */

import { createServer } from "node:http";
import { createNodeHandler } from "../../src/node/index.js";
import { sayPort } from "./port.js";

// A second target, or there would be no decision.
const [target = "", other = ""] = process.argv.slice(2);

sayPort(createServer(createNodeHandler({ env: { FETCH_TARGETS: `${target},${other}` } })));
