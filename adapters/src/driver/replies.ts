/** The fields of local replies, and those that `FETCH_EXPLAIN` adds. */

import type { LocalReply } from "../engine/interface.js";

/** The fields of a local reply; its body is `reply.body`. */
export function replyFields(reply: LocalReply): Record<string, string> {
  return {
    "content-type": "text/plain; charset=utf-8",
    "cache-control": "no-store",
    "proxy-status": reply.proxyStatus,
  };
}

/** The fields that `FETCH_EXPLAIN` adds to an upstream response. */
export function explainFields(explain: string, elapsed: number): [name: string, value: string][] {
  return [
    ["proxy-status", explain],
    ["server-timing", `function-fetch;dur=${elapsed.toFixed(1)}`],
  ];
}
