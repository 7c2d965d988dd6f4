/** The client and its request body, as Node.js presents them. */

import type { IncomingMessage } from "node:http";
import type { ClientFacts } from "../driver/headers.js";
import { ClientBody } from "./body.js";
import type { Request } from "./handler.js";

/** RFC 9113 §7. */
const NGHTTP2_NO_ERROR = 0;

/** How long the rest of an unwanted body may take, ms. */
const LEFTOVER = 5_000;

export function clientOf(request: Request): ClientFacts {
  const { socket } = request;
  const authority = "authority" in request ? request.authority : undefined;
  return {
    address: socket.remoteAddress,
    host: authority || request.headers.host,
    scheme: "encrypted" in socket && socket.encrypted ? "https" : "http",
  };
}

/** `limit`: the most bytes that are kept for another attempt. `patience`: for the next chunk, ms. */
export function bodyOf(request: Request, limit: number, patience: number): ClientBody | undefined {
  if (!hasBody(request)) return undefined;
  return new ClientBody(request, limit, () => isCut(request), patience);
}

export function hasBody(request: Request): boolean {
  if ("stream" in request) return !request.stream.endAfterHeaders;
  const { headers } = request;
  if (headers["transfer-encoding"] !== undefined) return true;
  const length = headers["content-length"];
  return length !== undefined && length !== "0" && Number(length) > 0;
}

/** Whether a body ended because the client broke it off. */
function isCut(request: Request): boolean {
  // Node.js reports that with an error for HTTP/1.1, but with an ordinary end for a reset HTTP/2 stream.
  if (!("stream" in request)) return false;
  const { rstCode, state } = request.stream;
  return rstCode !== NGHTTP2_NO_ERROR || state.remoteClose === 0;
}

/**
 * After the response: reads the rest of the body, so that the client sees the
 * response before the connection is closed, or can reuse the connection.
 */
export function drainRequest(request: Request): void {
  if (request.complete || request.destroyed) return;
  const timer = setTimeout(() => request.socket.destroy(), LEFTOVER);
  timer.unref();
  request.once("close", () => clearTimeout(timer));
  request.once("end", () => clearTimeout(timer));
  request.resume();
}

/**
 * Whether the response comes before the request is complete. The connection then
 * closes after it, and must be announced as closing. It closes gracefully: with
 * unread bytes the system would send a reset, which could destroy the response.
 */
export function isEarly(request: IncomingMessage): boolean {
  if (request.complete) return false;
  const { socket } = request;
  socket.destroySoon = () => {
    socket.end();
    const timer = setTimeout(() => socket.destroy(), LEFTOVER);
    timer.unref();
    socket.once("close", () => clearTimeout(timer));
    // What still arrives is discarded until the client has closed its side too.
    socket.once("end", () => socket.destroy());
    request.resume();
  };
  return true;
}
