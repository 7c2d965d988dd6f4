/** Local replies, and the fields that `FETCH_EXPLAIN` adds. */

import type { LocalReply } from "../engine/interface.js";

/** A reply of the host's own: `error` is an error type of RFC 9209. */
export function textReply(status: number, error: string, body: string): LocalReply {
  return {
    status,
    fields: [
      ["content-type", "text/plain; charset=utf-8"],
      ["cache-control", "no-store"],
      ["proxy-status", `function-fetch; error=${error}`],
    ],
    body,
  };
}

/** The fields that `FETCH_EXPLAIN` adds to an upstream response. */
export function explainFields(explain: string, elapsed: number): [name: string, value: string][] {
  return [
    ["proxy-status", explain],
    ["server-timing", `function-fetch;dur=${elapsed.toFixed(1)}`],
  ];
}
