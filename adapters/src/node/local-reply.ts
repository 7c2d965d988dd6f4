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

/** The fields of a local reply: names and values alternating. */
export function localFields(reply: LocalReply): string[] {
  return reply.fields.flat();
}

export function localReply(
  response: Response,
  reply: LocalReply,
  fields: readonly string[] = localFields(reply),
): void {
  const body = Buffer.from(reply.body);
  if (!isHttp2(response) && isEarly(response.req)) response.setHeader("connection", "close");
  // In place of what a framework may have set.
  for (let at = 0; at < fields.length; at += 2) response.removeHeader(fields[at] as string);
  for (let at = 0; at + 1 < fields.length; at += 2) {
    response.appendHeader(fields[at] as string, fields[at + 1] as string);
  }
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
