/** A routine in the emulation of ESA's runtime, and its origins; all end with their test. */

import type { TestContext } from "node:test";
import type { Origin } from "../support/origin.js";
import { testsIn } from "../support/runtimes.js";
import { Emulation, type EmulationOptions, type Runtime } from "./emulation.js";

export const RUNTIMES: readonly Runtime[] = ["node", "deno"];

/** The namespace that exists. */
export const NAMESPACE = "decisions";

/** `proxy:fastest` as the engine encodes it for EdgeKV. */
export const KEY = "proxy_3Afastest";

/** The same test in each runtime. */
export const inEach = testsIn(RUNTIMES);

export async function startRoutine(t: TestContext, options: EmulationOptions): Promise<Emulation> {
  const emulation = await Emulation.start(options);
  t.after(() => emulation.close());
  return emulation;
}

/** A routine with a namespace, whose targets are these origins, by name. */
export async function routineTo(
  t: TestContext,
  runtime: Runtime,
  origins: readonly Origin[],
  options: Partial<EmulationOptions> = {},
): Promise<Emulation> {
  const targets = origins.map(({ port }) => `http://localhost:${port}`).join(",");
  const env = { FETCH_TARGETS: targets, ESA_KV_NAMESPACE: NAMESPACE, ...options.env };
  return startRoutine(t, { kv: { namespace: NAMESPACE }, ...options, runtime, env });
}
