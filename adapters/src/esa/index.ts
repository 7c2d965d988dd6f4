/**
 * Function Fetch on Alibaba Cloud ESA (Functions and Pages, Edge Routine), as a
 * part of a routine of one's own:
 *
 *     export { default } from "function-fetch/esa";
 */

import type { Settings } from "../settings.js";
import { Edge } from "./edge.js";
import type { EsaRequest } from "./runtime.js";

export type { Settings } from "../settings.js";

export interface Options {
  /** Settings for where the runtime has none. */
  readonly env?: Settings | undefined;
}

/** What ESA calls. */
export interface EdgeRoutine {
  /**
   * Serves a request; never rejects. `handed`: what the runtime hands over
   * beside it, the variables and the context, in whatever order.
   */
  fetch(request: EsaRequest, ...handed: unknown[]): Promise<Response>;
}

/** Makes a routine with an engine of its own. */
export function createEdgeRoutine({ env = {} }: Options = {}): EdgeRoutine {
  const edge = new Edge(env);
  return { fetch: (request, ...handed) => edge.serve(request, handed) };
}

export default createEdgeRoutine();
