/**
 * `fetch` as ESA documents it: by name only, following redirects and
 * decompressing bodies by default.
 */

import { isIP } from "node:net";
import { Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Invocations } from "./invocations.js";
import type { Setup } from "./protocol.js";
import { exchange, type Head } from "./wire.js";

const MOST_REDIRECTS = 12;
const LONGEST_URL = 4096;
const REDIRECTS = [301, 302, 303, 307, 308];

/**
 * Errors of a connection that was never established, and what production
 * returns in their place.
 */
const STATUS_OF: Readonly<Record<string, number>> = { ECONNREFUSED: 521, ETIMEDOUT: 522 };

export interface Options {
  readonly method?: string;
  readonly headers?: HeadersInit;
  readonly body?: ReadableStream<Uint8Array> | null;
  readonly redirect?: string;
  readonly decompress?: string;
  readonly signal?: AbortSignal | null;
}

type Names = Setup["names"];

export function makeFetch(invocations: Invocations, { names, unreachable }: Setup) {
  return async (url: string, options: Options = {}): Promise<Response> => {
    const end = invocations.begin();
    try {
      return await follow(url, options, names, end);
    } catch (error) {
      end();
      const status = STATUS_OF[codeOf(error) ?? ""];
      if (unreachable === "status" && status !== undefined) return new Response(null, { status });
      if (options.signal?.aborted) throw options.signal.reason;
      throw new TypeError("fetch failed", { cause: error });
    }
  };
}

async function follow(
  first: string,
  options: Options,
  names: Names,
  end: () => void,
): Promise<Response> {
  let url = first;
  for (let redirects = 0; ; redirects += 1) {
    const head = await send(url, options, names);
    const { location } = head.incoming.headers;
    if (
      !REDIRECTS.includes(head.status) ||
      location === undefined ||
      options.redirect === "manual"
    ) {
      return responseOf(head, options, end);
    }
    if (redirects === MOST_REDIRECTS) throw new Error("too many redirects");
    head.incoming.destroy();
    url = new URL(location, url).href;
  }
}

async function send(text: string, options: Options, names: Names): Promise<Head> {
  if (text.length > LONGEST_URL) throw new Error("the URL is too long");
  const url = new URL(text);
  if (isIP(url.hostname.replace(/^\[|\]$/g, "")) !== 0) {
    throw new Error(`fetch does not support IP addresses: ${url.hostname}`);
  }
  const { method = "GET" } = options;
  if (options.body && (method === "GET" || method === "HEAD")) {
    throw new TypeError(`a request with the method ${method} cannot have a body`);
  }
  const port = portOf(url, names);
  if (port === undefined) {
    throw Object.assign(new Error(`getaddrinfo ENOTFOUND ${url.hostname}`), { code: "ENOTFOUND" });
  }
  return exchange(url, port, method, new Headers(options.headers), options);
}

function portOf({ hostname, host, port, protocol }: URL, names: Names): number | undefined {
  if (hostname === "localhost") return Number(port || (protocol === "https:" ? 443 : 80));
  return names[host] ?? names[hostname];
}

function responseOf(
  { status, incoming, method }: Head,
  options: Options,
  end: () => void,
): Response {
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "");
  }
  const statusText = incoming.statusMessage ?? "";
  if (method === "HEAD" || status === 204 || status === 205 || status === 304) {
    incoming.resume();
    end();
    return new Response(null, { status, statusText, headers });
  }
  const unpacker = options.decompress === "manual" ? undefined : unpackerFor(headers);
  const body = unpacker === undefined ? incoming : incoming.pipe(unpacker);
  incoming.once("close", end);
  if (unpacker !== undefined) incoming.once("error", (error) => unpacker.destroy(error));
  const stream = Readable.toWeb(body) as ReadableStream<Uint8Array>;
  return new Response(stream, { status, statusText, headers });
}

/** Decompresses a body, and removes its fields. */
function unpackerFor(headers: Headers): Transform | undefined {
  const coding = headers.get("content-encoding");
  const unpackers: Record<string, () => Transform> = {
    gzip: createGunzip,
    deflate: createInflate,
    br: createBrotliDecompress,
  };
  const unpacker = unpackers[coding ?? ""]?.();
  if (unpacker !== undefined) {
    headers.delete("content-encoding");
    headers.delete("content-length");
  }
  return unpacker;
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof AggregateError) return codeOf(error.errors[0]);
  return error instanceof Error && "code" in error ? String(error.code) : undefined;
}
