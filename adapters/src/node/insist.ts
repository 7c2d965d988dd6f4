/** To be imported before all else: on an older Node.js undici fails, in words that help nobody. */

import { unsupported } from "./supported.js";

const problem = unsupported(process.versions.node);
if (problem !== undefined) throw new Error(problem);
