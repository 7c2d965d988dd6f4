// The simulator, in WebAssembly.

import { instantiate } from "./generated/playground.js";

/** @import { Simulation } from "./run.js" */

const CORE = new URL("generated/playground.core.wasm", import.meta.url);

/** @returns {Promise<Simulation>} */
export async function load() {
  const response = await fetch(CORE);
  if (!response.ok) throw new Error(`${CORE.pathname}: ${response.status}`);
  // Not while it streams: that wants a Content-Type which not every static server sends.
  const core = await WebAssembly.compile(await response.arrayBuffer());
  return instantiate(() => core, {}).simulation;
}
