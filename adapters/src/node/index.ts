/** Function Fetch on Node.js. */

import "./assert-supported.js";

export type { Stats, Times } from "../driver/stats.js";
export { BOUNDS_MS } from "../driver/stats.js";
export type { Settings } from "../settings.js";
export type { Options, StoreOption as Store } from "./edge.js";
export type { Event } from "./event.js";
export { createFetchHandler, type Facts, type FetchHandler } from "./fetch.js";
export { fileStore } from "./file-store.js";
export { createNodeHandler, type NodeHandler } from "./handler.js";
