/** Local replies: responses that the proxy makes itself, as a `Response`. */

import { replyFields } from "../driver/replies.js";
import type { LocalReply } from "../engine/interface.js";

const INTERNAL_ERROR: LocalReply = {
  status: 502,
  body: "Function Fetch cannot pass this request on.\n",
  proxyStatus: "function-fetch; error=proxy_internal_error",
};

export function localReply(reply: LocalReply): Response {
  return new Response(reply.body, { status: reply.status, headers: replyFields(reply) });
}

/** The reply to an unexpected error. `log` gets the details; the client learns only that something failed. */
export function internalError(error: unknown, log: (line: string) => void): Response {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log(JSON.stringify({ source: "function-fetch", event: "error", reason }));
  return localReply(INTERNAL_ERROR);
}
