/** The entry of the bundle. */

import { unsupported } from "../../src/node/supported.js";

const problem = unsupported(process.versions.node);
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
// Only now: an old Node.js would fail in undici, with an error that does not name
// the cause.
const { run } = await import("../../src/node/command.js");

process.exit(await run(process.argv.slice(2)));
