/** An upstream's response as the client gets it, over WHATWG `Response`. */

import type { FieldRules } from "../driver/headers.js";
import { explainFields } from "../driver/replies.js";
import { clientFields } from "./fields.js";

/** WHATWG Fetch: a `Response` of such a status must not have a body, not even an empty one. */
export const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** An upstream's response, and what `FETCH_EXPLAIN` adds to it. */
export interface Relayed {
  readonly upstream: Response;
  /** Its `proxy-status`, with `FETCH_EXPLAIN`. */
  readonly explain: string | undefined;
  /** From the request's arrival to this head, ms. */
  readonly elapsed: number;
}

/**
 * The response for the client: the upstream's own object where nothing in it has to
 * change. `canMake` says whether the runtime allows a `Response` with that status.
 */
export function relayed(
  { upstream, explain, elapsed }: Relayed,
  rules: FieldRules,
  canMake: (status: number) => boolean,
): Response {
  const { status, statusText } = upstream;
  let headers = clientFields(upstream.headers, rules);
  // RFC 9110 §8.6: a 204 has no content-length.
  if (status === 204 && upstream.headers.has("content-length")) {
    headers ??= new Headers(upstream.headers);
    headers.delete("content-length");
  }
  if (explain !== undefined) {
    headers ??= new Headers(upstream.headers);
    for (const [name, value] of explainFields(explain, elapsed)) headers.append(name, value);
  }
  if (headers === undefined || !canMake(status)) return upstream;
  const body = WITHOUT_BODY.has(status) ? null : upstream.body;
  return new Response(body, { status, statusText, headers });
}
