/** Requests that could only be passed on as other ones. */

import type { Reply } from "../engine/interface.js";
import type { Request } from "./handler.js";

/** What a request gets whose body a middleware has read. */
const CONSUMED: Reply = {
  status: 500,
  body:
    "The request's body was read before Function Fetch could pass it on.\n" +
    "Mount the handler before any body parser, such as express.json().\n",
  proxyStatus: "function-fetch; error=proxy_configuration_error",
};

/** RFC 9112 §6.1: what is not understood is not implemented. */
const CODED: Reply = {
  status: 501,
  body: "Of transfer codings only chunked is understood.\n",
  proxyStatus: "function-fetch; error=http_request_error",
};

const TOO_MANY: Reply = {
  status: 431,
  body: "The request has more fields than the server takes; some of them are lost.\n",
  proxyStatus: "function-fetch; error=http_request_error",
};

/** How many fields Node.js takes where a server does not say; the others it drops without a word. */
const MOST_FIELDS = 1_000;

/** What such a request gets in place of a target's answer, if it cannot be passed on. */
export function refusalOf(request: Request, hasBody: boolean): Reply | undefined {
  // HTTP/2 has neither codings nor fields that are dropped.
  if (!("stream" in request)) {
    const coding = request.headers["transfer-encoding"];
    if (coding !== undefined && coding.trim().toLowerCase() !== "chunked") return CODED;
    const most = mostFields(request);
    if (most > 0 && request.rawHeaders.length >= 2 * most) return TOO_MANY;
  }
  return hasBody && request.readableDidRead ? CONSUMED : undefined;
}

/** How many the request's server takes; 0 for any number. */
function mostFields({ socket }: Request): number {
  if (!("server" in socket)) return MOST_FIELDS;
  const server = socket.server as { readonly maxHeadersCount?: number | null } | null | undefined;
  return server?.maxHeadersCount ?? MOST_FIELDS;
}
