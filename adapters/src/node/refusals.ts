/** Requests that are refused because they cannot be passed on unchanged. */

import type { IncomingMessage } from "node:http";
import { textReply } from "../driver/replies.js";
import type { LocalReply } from "../engine/interface.js";
import type { Request } from "./handler.js";
import { isHost } from "./host.js";

/** A middleware has read the request's body. */
const CONSUMED = textReply(
  500,
  "proxy_configuration_error",
  "The request's body was read before Function Fetch could pass it on.\n" +
    "Mount the handler before any body parser, such as express.json().\n",
);

/** RFC 9112 §6.1. */
const CODED = textReply(
  501,
  "http_request_error",
  "The only transfer coding supported is chunked.\n",
);

const TOO_MANY = textReply(
  431,
  "http_request_error",
  "The request has more fields than the server accepts.\n",
);

/** RFC 9112 §3.2. A target would get it as `X-Forwarded-Host`. */
const INVALID_HOST = textReply(
  400,
  "http_request_error",
  "The request's Host is malformed, or there are several.\n",
);

/** How many fields Node.js takes where the server does not say; it drops the others silently. */
const MOST_FIELDS = 1_000;

/** The local reply to a request that cannot be passed on. */
export function refusalOf(request: Request, hasBody: boolean): LocalReply | undefined {
  // HTTP/2 has no transfer codings, and Node.js drops none of its fields.
  if (!("stream" in request)) {
    const coding = request.headers["transfer-encoding"];
    if (coding !== undefined && coding.trim().toLowerCase() !== "chunked") return CODED;
    const most = mostFields(request);
    if (most > 0 && request.rawHeaders.length >= 2 * most) return TOO_MANY;
    if (hasInvalidHost(request)) return INVALID_HOST;
  }
  return hasBody && request.readableDidRead ? CONSUMED : undefined;
}

/** Whether there are several, of which Node.js keeps the first, or one that is none. */
function hasInvalidHost({ headers, rawHeaders }: IncomingMessage): boolean {
  if (headers.host !== undefined && !isHost(headers.host)) return true;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    if (name.length === 4 && name.toLowerCase() === "host") hosts += 1;
  }
  return hosts > 1;
}

/** How many fields the request's server takes; 0: no limit. */
function mostFields({ socket }: Request): number {
  if (!("server" in socket)) return MOST_FIELDS;
  const server = socket.server as { readonly maxHeadersCount?: number | null } | null | undefined;
  return server?.maxHeadersCount ?? MOST_FIELDS;
}
