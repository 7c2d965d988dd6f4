/** How connections to the targets are made, as options. */

import type { ConnectionOptions } from "node:tls";
import type { Dispatcher } from "undici";

/** Of `node:tls`. */
export type TlsOptions = Pick<
  ConnectionOptions,
  | "ca"
  | "cert"
  | "key"
  | "pfx"
  | "passphrase"
  | "ciphers"
  | "minVersion"
  | "maxVersion"
  | "rejectUnauthorized"
  | "servername"
  | "checkServerIdentity"
  | "secureContext"
>;

export interface ConnectingOptions {
  /**
   * TLS with the targets, by the names of `tls.connect`: `ca` in place of the authorities
   * that Node.js trusts, `cert` and `key` for the targets to know this proxy by, and so on.
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * A dispatcher of undici 8, such as a `ProxyAgent`, that carries all requests to the
   * targets in place of this package's own connections; it is yours to close. With it,
   * `tls`, `maxHeadBytes` and `FETCH_CONNECT_TIMEOUT_MS` have no effect, a request of unknown
   * length is sent with the first chunk of its body, and trailers of requests are dropped.
   */
  readonly dispatcher?: Dispatcher | undefined;
}

export interface Connecting {
  readonly tls: TlsOptions;
  readonly dispatcher: Dispatcher | undefined;
}

export function connectingOf({ tls = {}, dispatcher }: ConnectingOptions): Connecting {
  if (typeof tls !== "object" || tls === null) throw new TypeError("the option `tls` is no object");
  if (dispatcher !== undefined && typeof dispatcher.dispatch !== "function") {
    throw new TypeError("the option `dispatcher` is no dispatcher of undici: it has no `dispatch`");
  }
  return { tls, dispatcher };
}
