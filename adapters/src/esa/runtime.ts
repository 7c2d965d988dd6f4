/**
 * What ESA's runtime has beyond the web standards, and which of those it may
 * lack. Alibaba Cloud publishes no types; each item cites its source.
 */

/**
 * EdgeKV, a global of the runtime.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/edge-storage-api
 */
export interface EdgeKv {
  /** A missing key gives `undefined`. Without `type` the value is a stream. */
  get(key: string, options: { readonly type: "text" }): Promise<string | undefined>;
  put(key: string, value: string): Promise<unknown>;
}

/** Throws when there is no such namespace. */
export type EdgeKvConstructor = new (options: { readonly namespace: string }) => EdgeKv;

/**
 * The options of ESA's `fetch`.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/fetch-1
 */
export interface Init extends RequestInit {
  /** `manual`: a compressed body is passed on as it is, with its fields. */
  readonly decompress: "manual";
  /** Required by WHATWG Fetch when the body is a stream. */
  readonly duplex: "half";
}

/** A request as the runtime passes it: `info` is the runtime's, and not from a header that a client can forge. */
export type EsaRequest = Request & {
  readonly info?: { readonly remote_addr?: unknown } | undefined;
};

/** The address of the connection to ESA. */
export function addressOf({ info }: EsaRequest): string | undefined {
  const address = info?.remote_addr;
  return typeof address === "string" && address !== "" ? address : undefined;
}

/** Keeps work running after the response. */
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
  // The bare identifier, not `globalThis.EdgeKV`: the local runtime of `esa-cli` replaces the identifier.
  return typeof EdgeKV === "undefined" ? undefined : EdgeKV;
}

declare const EdgeKV: EdgeKvConstructor | undefined;

/** Alibaba Cloud does not document `performance`: where it is missing, the wall clock is used. */
export function ensureClock(): void {
  if (typeof performance === "undefined") {
    Object.assign(globalThis, { performance: { now: () => Date.now() } });
  }
}
