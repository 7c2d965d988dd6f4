/** What the client gets. */

import { type FieldRules, namedByConnection } from "../driver/headers.js";
import type { Outcome } from "../driver/proxy.js";
import { explainFields } from "../driver/replies.js";
import { broken, ownWords } from "../web/answers.js";

export function responseTo(
  outcome: Outcome<Response>,
  rules: FieldRules,
  ends: readonly string[],
): Response {
  if (outcome.answer === undefined) return ownWords(outcome.reply);
  const { answer, explain, elapsed } = outcome;
  const more = explain === undefined ? [] : explainFields(explain, elapsed);
  const { headers } = answer;
  const named = namedByConnection(headers.get("connection"));
  // Nearly always nothing is to be changed: the response goes on untouched by JavaScript.
  if (more.length === 0 && named === undefined && !ends.some((name) => headers.has(name))) {
    return answer;
  }
  return changed(answer, rules, named, more);
}

/** The same response with other fields; a body that is compressed stays as it is. */
function changed(
  answer: Response,
  rules: FieldRules,
  named: ReadonlySet<string> | undefined,
  more: readonly (readonly [string, string])[],
): Response {
  // A handshake cannot be made anew.
  if (answer.webSocket !== null) return answer;
  const response = new Response(answer.body, answer);
  for (const [name] of answer.headers) {
    if (rules.endsInResponse(name, named)) response.headers.delete(name);
  }
  for (const [name, value] of more) response.headers.append(name, value);
  return response;
}

/** The operator hears what it was, the client only that it was. */
export function unforeseen(error: unknown): Response {
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  console.error(JSON.stringify({ source: "function-fetch", event: "error", reason }));
  return broken();
}
