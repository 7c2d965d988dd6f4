/** An upstream's response, or a local reply, as the client gets it. */

import { type FieldRules, namedByConnection } from "../driver/headers.js";
import type { Outcome } from "../driver/proxy.js";
import { explainFields } from "../driver/replies.js";
import { localReply } from "../web/local-reply.js";

export function responseTo(
  outcome: Outcome<Response>,
  rules: FieldRules,
  ends: readonly string[],
): Response {
  if (outcome.answer === undefined) return localReply(outcome.reply);
  const { answer, explain, elapsed } = outcome;
  const more = explain === undefined ? [] : explainFields(explain, elapsed);
  const { headers } = answer;
  const named = namedByConnection(headers.get("connection"));
  // Nearly always nothing has to change, and the runtime passes the body on without JavaScript.
  if (more.length === 0 && named === undefined && !ends.some((name) => headers.has(name))) {
    return answer;
  }
  return changed(answer, rules, named, more);
}

/** The same response with other fields; a compressed body stays as it is. */
function changed(
  answer: Response,
  rules: FieldRules,
  named: ReadonlySet<string> | undefined,
  more: readonly (readonly [string, string])[],
): Response {
  // The response to a WebSocket handshake cannot be rebuilt.
  if (answer.webSocket !== null) return answer;
  const response = new Response(answer.body, answer);
  for (const [name] of answer.headers) {
    if (rules.endsInResponse(name, named)) response.headers.delete(name);
  }
  for (const [name, value] of more) response.headers.append(name, value);
  return response;
}
