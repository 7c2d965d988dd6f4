/** The header fields that are forwarded, over WHATWG `Headers`. */

import { type ClientFacts, type FieldRules, namedByConnection } from "../driver/headers.js";

/** The fields of a request for its target. */
export function upstreamFields(given: Headers, rules: FieldRules, client: ClientFacts): Headers {
  const fields = new Headers(given);
  const named = namedByConnection(given.get("connection"));
  for (const [name, value] of given) {
    // The runtime has answered `expect` already.
    if (name === "expect" || rules.isForged(name) || rules.endsInRequest(name, value, named)) {
      fields.delete(name);
    }
  }
  const valueOf = (name: string) => given.get(name);
  for (const [name, value] of rules.forwarding(client, valueOf)) fields.set(name, value);
  fields.set("via", rules.via(given.get("via")));
  return fields;
}

/** The fields of a response for the client; undefined when none has to change. */
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
