/** The entry of the bundle. */

import { run } from "../../src/node/command.js";

process.exit(await run(process.argv.slice(2)));
