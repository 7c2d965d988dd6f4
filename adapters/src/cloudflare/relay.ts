/** An upstream's response, or a local reply, as the client gets it. */

import { type FieldRules, namedByConnection } from "../driver/headers.js";
import { explainFields } from "../driver/replies.js";
import type { Outcome } from "../driver/reverse-proxy.js";
import { localReply } from "../web/local-reply.js";

export function responseTo(
  outcome: Outcome<Response>,
  rules: FieldRules,
  ends: readonly string[],
): Response {
  if (outcome.answer === undefined) return localReply(outcome.reply);
  const { answer: upstream, explain, elapsed } = outcome;
  const more = explain === undefined ? [] : explainFields(explain, elapsed);
  const { headers } = upstream;
  const named = namedByConnection(headers.get("connection"));
  // Nearly always nothing has to change, and the runtime passes the body on without JavaScript.
  if (more.length === 0 && named === undefined && !ends.some((name) => headers.has(name))) {
    return upstream;
  }
  return changed(upstream, rules, named, more);
}

/** The same response with other fields; a compressed body stays as it is. */
function changed(
  upstream: Response,
  rules: FieldRules,
  named: ReadonlySet<string> | undefined,
  more: readonly (readonly [string, string])[],
): Response {
  // The response to a WebSocket handshake cannot be rebuilt.
  if (upstream.webSocket !== null) return upstream;
  const response = new Response(upstream.body, upstream);
  for (const [name] of upstream.headers) {
    if (rules.endsInResponse(name, named)) response.headers.delete(name);
  }
  for (const [name, value] of more) response.headers.append(name, value);
  return response;
}
