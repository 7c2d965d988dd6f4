/**
 * What ESA's runtime has beyond the web's standards, and which of those it may
 * lack. Alibaba Cloud publishes no types; each item says where it is known from.
 */

/**
 * EdgeKV, a global of the runtime.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/edge-storage-api
 */
export interface EdgeKv {
  /** A key that is not there brings `undefined`. Without a type it brings a stream. */
  get(key: string, options: { readonly type: "text" }): Promise<string | undefined>;
  put(key: string, value: string): Promise<unknown>;
}

/** Throws when there is no such namespace. */
export type EdgeKvConstructor = new (options: { readonly namespace: string }) => EdgeKv;

/**
 * What `fetch` takes here.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/fetch-1
 */
export interface Init extends RequestInit {
  /** `manual`: a compressed body stays as it is, and so do its fields. */
  readonly decompress: "manual";
  /** The web's standard wants to be told that the body is a stream. */
  readonly duplex: "half";
}

/** A request as the runtime hands it over: `info` is its own, no header that a client can write. */
export type EsaRequest = Request & {
  readonly info?: { readonly remote_addr?: unknown } | undefined;
};

/** Lets work go on after the response. */
export interface Context {
  waitUntil(work: Promise<unknown>): void;
}

export function isContext(value: unknown): value is Context {
  return (
    typeof value === "object" &&
    value !== null &&
    "waitUntil" in value &&
    typeof value.waitUntil === "function"
  );
}

/** The runtime's `EdgeKV`, where it has one. */
export function edgeKv(): EdgeKvConstructor | undefined {
  // The identifier itself, not a property's name: the local runtime of `esa-cli` puts its own in its place.
  return typeof EdgeKV === "undefined" ? undefined : EdgeKV;
}

declare const EdgeKV: EdgeKvConstructor | undefined;

/** No page of Alibaba Cloud's lists `performance`: where it is missing, the wall clock has to do. */
export function ensureClock(): void {
  if (typeof performance === "undefined") {
    Object.assign(globalThis, { performance: { now: () => Date.now() } });
  }
}
