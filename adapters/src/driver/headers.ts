/**
 * Which header fields are passed on, upstream and back, for all JavaScript hosts.
 * The engine's configuration says which ones belong to a connection; the rest
 * does what `crates/engine/src/headers` does for Rust hosts.
 */

import type { Configuration } from "../engine/interface.js";

/** What the platform itself reports about the client: never taken from a header that a client can write. */
export interface ClientFacts {
  /** The client's IP address. */
  readonly address: string | undefined;
  /** The host that it requested. */
  readonly host: string | undefined;
  /** `http` or `https`. */
  readonly scheme: string | undefined;
}

/** The fields that describe the client to the target. */
const FORWARDED: readonly string[] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];

/** How an IPv6 socket writes the address of an IPv4 client. */
const MAPPED = /^::ffff:(?=\d+\.)/i;

/** An entry of `via` that names a Function Fetch (RFC 9110 §7.6.3). */
const US = /^\s*\S+\s+function-fetch(?:\s|$)/i;

/** How many Function Fetches a request has passed, by its `via`. */
export function hops(via: string | null | undefined): number {
  if (via === null || via === undefined || via === "") return 0;
  return via.split(",").filter((entry) => US.test(entry)).length;
}

/** Which fields are not passed on, and which are set instead. */
export class FieldRules {
  private readonly hopByHop: ReadonlySet<string>;

  constructor(private readonly configuration: Configuration) {
    this.hopByHop = new Set(configuration.hopByHop);
  }

  /** Whether a field of a request is not passed on. `name` in lower case. */
  endsInRequest(name: string, value: string, named: ReadonlySet<string> | undefined): boolean {
    // A gRPC server refuses a request that does not say `te: trailers`.
    if (name === "te") return value.trim().toLowerCase() !== "trailers";
    return (
      name === "host" ||
      name.startsWith("spin-") ||
      this.endsInResponse(name, named) ||
      this.imitates(name)
    );
  }

  /**
   * Whether a CGI-style target, for which `-` and `_` are the same, would mistake
   * the field for one that describes the client. `name` in lower case.
   */
  imitates(name: string): boolean {
    if (!this.configuration.forwarded || !name.includes("_")) return false;
    return name.startsWith("spin_") || FORWARDED.includes(name.replaceAll("_", "-"));
  }

  /** Whether a field of a response is not passed on. `name` in lower case. */
  endsInResponse(name: string, named: ReadonlySet<string> | undefined): boolean {
    return this.hopByHop.has(name) || (named?.has(name) === true && name !== "trailer");
  }

  /** Whether a client's value of this field is replaced by the platform's. `name` in lower case. */
  isForged(name: string): boolean {
    if (!this.configuration.forwarded || this.configuration.trustForwarded) return false;
    // RFC 7239 says the same in another spelling.
    return name === "forwarded" || FORWARDED.includes(name);
  }

  /**
   * The forwarding fields to set, each in place of the client's. `told` reads a
   * field of the client's request.
   */
  forwarding(
    client: ClientFacts,
    told: (name: string) => string | null | undefined,
  ): [name: string, value: string][] {
    if (!this.configuration.forwarded) return [];
    const trust = this.configuration.trustForwarded;
    const fields: [string, string][] = [];
    const before = trust ? told("x-forwarded-for") : undefined;
    const address = unmapped(client.address);
    const chain = before && address ? `${before}, ${address}` : before || address;
    if (chain) fields.push(["x-forwarded-for", chain]);
    if (client.host !== undefined && !(trust && told("x-forwarded-host"))) {
      fields.push(["x-forwarded-host", client.host]);
    }
    const { scheme } = client;
    if ((scheme === "http" || scheme === "https") && !(trust && told("x-forwarded-proto"))) {
      fields.push(["x-forwarded-proto", scheme]);
    }
    return fields;
  }

  /** The `via` of the upstream request. */
  via(before: string | null | undefined): string {
    return before ? `${before}, ${this.configuration.via}` : this.configuration.via;
  }
}

/** The fields that `connection` lists as hop by hop, besides those that always are. */
export function namedByConnection(
  connection: string | null | undefined,
): ReadonlySet<string> | undefined {
  // Nearly every request: nothing to split.
  if (!connection || connection === "keep-alive" || connection === "close") return undefined;
  const names = connection
    .toLowerCase()
    .split(",")
    .map((name) => name.trim())
    // `connection: te` only says that TE is hop by hop, which we know.
    .filter((name) => name !== "" && name !== "te");
  return new Set(names);
}

function unmapped(address: string | undefined): string | undefined {
  return address?.replace(MAPPED, "");
}

/** Several `cookie` fields as one, since HTTP/1.1 has only one (RFC 9113 §8.2.3). */
export function joinedCookies(values: readonly string[]): string {
  return values.join("; ");
}

/** Where a request for `path` (with its query, as it came) goes on a target. */
export function joined(basePath: string, path: string): string {
  // `OPTIONS *` is about the server as a whole (RFC 9110 §7.1).
  if (path === "*") return `${basePath}/`;
  return path.startsWith("/") ? basePath + path : `${basePath}/${path}`;
}
