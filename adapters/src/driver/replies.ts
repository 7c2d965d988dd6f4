/** What the proxy says of itself. */

import type { Reply } from "../engine/interface.js";

/** The fields of one of the proxy's own answers; its body is `reply.body`. */
export function replyFields(reply: Reply): Record<string, string> {
  return {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "proxy-status": reply.proxyStatus,
  };
}

/** With `FETCH_EXPLAIN`: the fields that an answer gets on top of its own. */
export function explainFields(explain: string, elapsed: number): [name: string, value: string][] {
  return [
    ["proxy-status", explain],
    ["server-timing", `function-fetch;dur=${elapsed.toFixed(1)}`],
  ];
}
