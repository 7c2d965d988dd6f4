/**
 * Function Fetch on Alibaba Cloud ESA (Functions and Pages, Edge Routine), as
 * part of your own routine:
 *
 *     export { default } from "function-fetch/esa";
 */

import type { Settings } from "../settings.js";
import { Edge } from "./edge.js";
import type { EsaRequest } from "./runtime.js";

export type { Settings } from "../settings.js";

export interface Options {
  /** Used for settings that the runtime does not provide. */
  readonly env?: Settings | undefined;
}

/** What ESA calls. */
export interface EdgeRoutine {
  /**
   * Serves a request; never rejects. `handed`: what else the runtime passes, the
   * variables and the context, in any order.
   */
  fetch(request: EsaRequest, ...handed: unknown[]): Promise<Response>;
}

/** Makes a routine with its own engine. */
export function createEdgeRoutine({ env = {} }: Options = {}): EdgeRoutine {
  const edge = new Edge(env);
  return { fetch: (request, ...handed) => edge.serve(request, handed) };
}

export default createEdgeRoutine();
