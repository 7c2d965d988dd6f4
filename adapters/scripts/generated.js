/**
 * Runs before every script that builds on `generated/`: where that is missing,
 * or older than the code, names the command that makes it.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";

/** The file that is written last. */
const NEWEST = join(import.meta.dirname, "..", "generated", "engine.core.text.js");

if (!existsSync(NEWEST)) {
  console.error("adapters/generated is missing or old: make it with `cargo xtask build --edge`");
  process.exit(1);
}
