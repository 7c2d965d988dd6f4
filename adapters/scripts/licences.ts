/** Copies the repository's licences into the package, since npm takes no file from above it. */

import { copyFileSync } from "node:fs";
import { join } from "node:path";

const HERE = join(import.meta.dirname, "..");

for (const name of ["LICENSE-APACHE", "LICENSE-MIT"]) {
  copyFileSync(join(HERE, "..", name), join(HERE, name));
}
