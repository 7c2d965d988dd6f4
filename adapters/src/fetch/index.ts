/**
 * Function Fetch for runtimes with a `fetch` of their own: Bun, Deno, and functions of Vercel
 * and Netlify:
 *
 *     export { default } from "function-fetch/fetch";
 */

import { Edge, type Options } from "./edge.js";

export type { Stats, Times } from "../driver/stats.js";
export { BOUNDS_MS } from "../driver/stats.js";
export type { Event } from "../event.js";
export type { HookedRequest, HookedResponse } from "../hooks.js";
export type { Settings } from "../settings.js";
export type { StoreOption as Store } from "../store-option.js";
export type { Facts } from "../web/caller.js";
export type { Options } from "./edge.js";

export interface FetchHandler {
  /**
   * Serves a request; never rejects. `handed`: what the runtime passes beside the request, or
   * `Facts` of your own.
   */
  (request: Request, ...handed: unknown[]): Promise<Response>;
  /** Waits for the work that goes on after responses. */
  close(): Promise<void>;
}

/** Makes a handler with its own engine. Call it once, not for each request. */
export function createFetchHandler(options: Options = {}): FetchHandler {
  const edge = new Edge(options);
  const handler = (request: Request, ...handed: unknown[]) => edge.serve(request, handed);
  return Object.assign(handler, { close: () => edge.close() });
}

let usual: FetchHandler | undefined;

/** With the settings of the environment alone. */
const server: { fetch(request: Request, ...handed: unknown[]): Promise<Response> } = {
  fetch(request, ...handed) {
    usual ??= createFetchHandler();
    return usual(request, ...handed);
  },
};

export default server;
