/** What the proxy itself says to a client. */

import { replyFields } from "../driver/replies.js";
import type { Reply } from "../engine/interface.js";
import { isEarly } from "./client.js";
import type { Edge } from "./edge.js";
import { isHttp2, type Response } from "./relay.js";

const BROKEN: Reply = {
  status: 502,
  body: "Function Fetch cannot pass this response on.\n",
  proxyStatus: "function-fetch; error=proxy_internal_error",
};

export function reply(response: Response, words: Reply): void {
  const body = Buffer.from(words.body);
  if (!isHttp2(response) && isEarly(response.req)) response.setHeader("connection", "close");
  for (const [name, value] of Object.entries(replyFields(words))) response.setHeader(name, value);
  response.setHeader("content-length", body.byteLength);
  response.statusCode = words.status;
  response.end(body);
}

/** Something went wrong that nobody foresaw: the operator hears what, the client only that. */
export function fail(edge: Edge, response: Response, error: unknown): void {
  edge.tell("error", error instanceof Error ? (error.stack ?? error.message) : String(error));
  if (response.headersSent) response.destroy();
  else reply(response, BROKEN);
}
