/**
 * Function Fetch on Cloudflare Workers:
 *
 *     export { default } from "function-fetch/cloudflare";
 */

import type { Settings } from "../settings.js";
import type { Bindings } from "./bindings.js";
import { Edge } from "./edge.js";

export type { Settings } from "../settings.js";
export type { Bindings } from "./bindings.js";
export type { Namespace } from "./store.js";

export interface Options {
  /** Settings that override the bindings. */
  readonly settings?: Settings | undefined;
}

/** A module Worker, or a part of one: `fetch` may be called from another handler. */
export interface FunctionFetch {
  fetch(
    request: Request,
    env: Bindings,
    context: Pick<ExecutionContext, "waitUntil">,
  ): Promise<Response>;
}

/**
 * Makes a Worker with its own engine. Call it at module scope, so that no request
 * waits for the engine to start.
 */
export function createWorker(options: Options = {}): FunctionFetch {
  const edge = new Edge(options.settings ?? {});
  return { fetch: (request, env, context) => edge.serve(request, env, context) };
}

export default createWorker();
