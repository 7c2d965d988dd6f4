/** What the client gets, as a `Response`. */

import type { FieldRules } from "../driver/headers.js";
import { explainFields, replyFields } from "../driver/replies.js";
import type { Reply } from "../engine/interface.js";
import { clientFields } from "./fields.js";

/** WHATWG Fetch: a `Response` of such a status must not have a body, not even an empty one. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** Something went wrong that nobody foresaw. */
const BROKEN: Reply = {
  status: 502,
  body: "Function Fetch cannot pass this request on.\n",
  proxyStatus: "function-fetch; error=proxy_internal_error",
};

/** A target's answer, and what is to be said of it. */
export interface Relayed {
  readonly answer: Response;
  /** Its `proxy-status`, with `FETCH_EXPLAIN`. */
  readonly explain: string | undefined;
  /** From the request's arrival to this head, ms. */
  readonly elapsed: number;
}

/** The proxy's own words. */
export function ownWords(reply: Reply): Response {
  return new Response(reply.body, { status: reply.status, headers: replyFields(reply) });
}

/** The client hears only that something went wrong; what it was is the operator's. */
export function broken(): Response {
  return ownWords(BROKEN);
}

/**
 * A target's answer as the client's: untouched where nothing in it has to be
 * changed. `makes` says whether the runtime lets a `Response` of that status be made.
 */
export function relayed(
  { answer, explain, elapsed }: Relayed,
  rules: FieldRules,
  makes: (status: number) => boolean,
): Response {
  const { status, statusText } = answer;
  let headers = clientFields(answer.headers, rules);
  // RFC 9110 §8.6: such an answer has none.
  if (status === 204 && answer.headers.has("content-length")) {
    headers ??= new Headers(answer.headers);
    headers.delete("content-length");
  }
  if (explain !== undefined) {
    headers ??= new Headers(answer.headers);
    for (const [name, value] of explainFields(explain, elapsed)) headers.append(name, value);
  }
  if (headers === undefined || !makes(status)) return answer;
  const body = WITHOUT_BODY.has(status) ? null : answer.body;
  return new Response(body, { status, statusText, headers });
}
