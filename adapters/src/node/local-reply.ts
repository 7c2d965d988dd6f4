/** Local replies: responses that the proxy makes itself. */

import { textReply } from "../driver/replies.js";
import type { LocalReply } from "../engine/interface.js";
import { isEarly } from "./client.js";
import type { Edge } from "./edge.js";
import { isHttp2, type Response } from "./relay.js";

const INTERNAL_ERROR = textReply(
  502,
  "proxy_internal_error",
  "Function Fetch cannot pass this response on.\n",
);

export function localReply(response: Response, reply: LocalReply): void {
  const body = Buffer.from(reply.body);
  if (!isHttp2(response) && isEarly(response.req)) response.setHeader("connection", "close");
  for (const [name, value] of reply.fields) response.setHeader(name, value);
  response.setHeader("content-length", body.byteLength);
  response.statusCode = reply.status;
  response.end(body);
}

/** The reply to an unexpected error. The operator gets the details; the client learns only that something failed. */
export function internalError(edge: Edge, response: Response, error: unknown): void {
  edge.notice("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (response.headersSent) response.destroy();
  else localReply(response, INTERNAL_ERROR);
}
