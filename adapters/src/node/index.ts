/** Function Fetch on Node.js. */

import "./assert-supported.js";

export type { Stats, Times } from "../driver/stats.js";
export { BOUNDS_MS } from "../driver/stats.js";
export type { Event } from "../event.js";
export type { HookedRequest, HookedResponse } from "../hooks.js";
export type { Settings } from "../settings.js";
export type { StoreOption as Store } from "../store-option.js";
export type { Facts } from "../web/caller.js";
export type { Options } from "./edge.js";
export { createFetchHandler, type FetchHandler } from "./fetch.js";
export { fileStore } from "./file-store.js";
export { createNodeHandler, type NodeHandler } from "./handler.js";
