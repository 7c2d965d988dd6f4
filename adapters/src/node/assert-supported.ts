/** Import this first: on an older Node.js undici fails with an error that does not name the cause. */

import { unsupported } from "./supported.js";

const problem = unsupported(process.versions.node);
if (problem !== undefined) throw new Error(problem);
