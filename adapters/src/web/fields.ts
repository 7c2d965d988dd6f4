/** The header fields that go on, over WHATWG `Headers`. */

import { type ClientFacts, type FieldRules, namedByConnection } from "../driver/headers.js";

/** The fields of a request for its target. */
export function upstreamFields(given: Headers, rules: FieldRules, client: ClientFacts): Headers {
  const fields = new Headers(given);
  const named = namedByConnection(given.get("connection"));
  for (const [name, value] of given) {
    // The runtime has answered an `expect`, and the target is not asked again.
    if (name === "expect" || rules.isForged(name) || rules.endsInRequest(name, value, named)) {
      fields.delete(name);
    }
  }
  const told = (name: string) => given.get(name);
  for (const [name, value] of rules.forwarding(client, told)) fields.set(name, value);
  fields.set("via", rules.via(given.get("via")));
  return fields;
}

/** The fields of an answer for the client; nothing when all of them may go on as they are. */
export function clientFields(given: Headers, rules: FieldRules): Headers | undefined {
  const named = namedByConnection(given.get("connection"));
  let fields: Headers | undefined;
  for (const name of given.keys()) {
    if (!rules.endsInResponse(name, named)) continue;
    fields ??= new Headers(given);
    fields.delete(name);
  }
  return fields;
}
