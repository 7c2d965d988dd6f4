/**
 * Runs before every script that builds on what is generated: where that is
 * missing, or older than the code, names the command that makes it.
 */

import { existsSync } from "node:fs";
import { join } from "node:path";

const HERE = join(import.meta.dirname, "..");

/** Of each folder the file that is written last, and the command. */
const KINDS = {
  engine: {
    folder: "adapters/generated",
    newest: join(HERE, "generated", "engine.core.text.js"),
    command: "cargo xtask build --edge",
  },
  playground: {
    folder: "playground/generated",
    newest: join(HERE, "..", "playground", "generated", "playground.core.wasm"),
    command: "cargo xtask playground",
  },
};

const { folder, newest, command } = KINDS[process.argv[2] ?? "engine"];
if (!existsSync(newest)) {
  console.error(`${folder} is missing or old: make it with \`${command}\``);
  process.exit(1);
}
