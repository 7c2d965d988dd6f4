/** What Node.js says of the client and of the body that it sends. */

import type { ClientFacts } from "../driver/headers.js";
import type { Reply } from "../engine/interface.js";
import { ClientBody } from "./body.js";
import type { Request } from "./handler.js";

/** How an IPv6 socket writes the address of an IPv4 client. */
const MAPPED = "::ffff:";

/** How long the rest of a body that nobody wants may take, ms. */
const LEFTOVER = 5_000;

/** What a request gets whose body a middleware has read. */
export const CONSUMED: Reply = {
  status: 500,
  body:
    "The request's body was read before Function Fetch could pass it on.\n" +
    "Mount the handler before any body parser, such as express.json().\n",
  proxyStatus: "function-fetch; error=proxy_configuration_error",
};

export function clientOf(request: Request): ClientFacts {
  const { socket } = request;
  const address = socket.remoteAddress;
  const authority = "authority" in request ? request.authority : undefined;
  return {
    address: address?.startsWith(MAPPED) ? address.slice(MAPPED.length) : address,
    host: authority || request.headers.host,
    scheme: "encrypted" in socket && socket.encrypted ? "https" : "http",
  };
}

/** `limit`: the most bytes that are kept for another attempt. */
export function bodyOf(request: Request, limit: number): ClientBody | undefined {
  return hasBody(request) ? new ClientBody(request, limit) : undefined;
}

/** Whether somebody has read the request's body already. */
export function isConsumed(request: Request): boolean {
  return request.readableDidRead && hasBody(request);
}

export function hasBody(request: Request): boolean {
  if ("stream" in request) return !request.stream.endAfterHeaders;
  const { headers } = request;
  if (headers["transfer-encoding"] !== undefined) return true;
  const length = headers["content-length"];
  return length !== undefined && length !== "0" && Number(length) > 0;
}

/**
 * After the response: reads what is left of the body, so that the connection
 * can be used again, or ends it when there is too much left.
 */
export function letGo(request: Request): void {
  if (request.complete || request.destroyed) return;
  const timer = setTimeout(() => request.socket.destroy(), LEFTOVER);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}
