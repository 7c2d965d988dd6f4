/** The simulator in WebAssembly, in Node.js. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Simulation } from "../../../playground/run.js";
import { builtFolder } from "./site.js";

type Glue = typeof import("../../../playground/generated/playground.js");

/** A new one, of the page as it was built. */
export async function load(): Promise<Simulation> {
  const generated = join(builtFolder(), "generated");
  const glue: Glue = await import(pathToFileURL(join(generated, "playground.js")).href);
  const core = new WebAssembly.Module(readFileSync(join(generated, "playground.core.wasm")));
  return glue.instantiate(() => core, {}).simulation;
}
