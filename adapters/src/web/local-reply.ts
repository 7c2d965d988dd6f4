/** Local replies: responses that the proxy makes itself, as a `Response`. */

import { textReply } from "../driver/replies.js";
import type { LocalReply } from "../engine/interface.js";

const INTERNAL_ERROR = textReply(
  502,
  "proxy_internal_error",
  "Function Fetch cannot pass this request on.\n",
);

export function localReply({ status, fields, body }: LocalReply): Response {
  return new Response(body, { status, headers: fields });
}

/** The reply to an unexpected error. `log` gets the details; the client learns only that something failed. */
export function internalError(error: unknown, log: (line: string) => void): Response {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  log(JSON.stringify({ source: "function-fetch", event: "error", reason }));
  return localReply(INTERNAL_ERROR);
}
