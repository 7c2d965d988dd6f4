/** A client's request, ready to be sent as often as it takes. */

import { type ClientFacts, type FieldRules, hops, namedByConnection } from "../driver/headers.js";
import type { About } from "../driver/proxy.js";
import type { Body, Configuration } from "../engine/interface.js";
import type { Abortable } from "./attempt.js";
import type { ClientBody } from "./body.js";

/** What an inbound request is made of, whatever brought it. */
export interface Origins {
  readonly method: string;
  /** The request target as it came: a path with its query, `*`, or a whole URL. */
  readonly url: string;
  /** Names and values by turns. */
  readonly rawFields: readonly string[];
  /** Reads a field. */
  readonly told: (name: string) => string | undefined;
  readonly client: ClientFacts;
  readonly body: ClientBody | undefined;
  /** The protocol that the client wants to switch to. */
  readonly upgrade?: string;
  /** The trailers of the body, once it has ended; names and values by turns. */
  readonly trailers?: () => readonly string[];
}

export class Inbound {
  readonly about: About;
  readonly method: string;
  readonly path: string;
  /** For the target: names and values by turns. */
  readonly fields: string[];
  readonly body: ClientBody | undefined;
  readonly upgrade: string | undefined;
  /** Whether there is a body whose length nobody has said. */
  readonly isStreamed: boolean;
  /** Those of the body, once it has ended; names and values by turns. */
  readonly trailers: () => readonly string[];
  private readonly underWay = new Set<Abortable>();
  private left = false;

  constructor(from: Origins, configuration: Configuration, rules: FieldRules) {
    const { method, url, body, told } = from;
    const whole = wholeUrl(url);
    const via = told("via");
    this.about = { method, hops: hops(via), hasBody: body !== undefined };
    this.method = method;
    this.path = whole?.path ?? url;
    this.body = body;
    this.upgrade = from.upgrade;
    this.isStreamed = body !== undefined && told("content-length") === undefined;
    this.trailers = from.trailers ?? (() => []);
    const client = whole === undefined ? from.client : { ...from.client, host: whole.authority };
    this.fields = upstreamFields(from, client, configuration, rules);
  }

  get hasLeft(): boolean {
    return this.left;
  }

  get fate(): Body {
    if (this.left) return "broken";
    return this.body?.fate ?? "untouched";
  }

  /** An attempt goes with its client. */
  begin(attempt: Abortable): void {
    if (this.left) attempt.leave();
    else this.underWay.add(attempt);
  }

  readonly end = (attempt: Abortable): void => {
    this.underWay.delete(attempt);
  };

  /** The client has gone: so does everything that is done for it. */
  leave(): void {
    if (this.left) return;
    this.left = true;
    this.body?.fail(new Error("the client has gone"));
    for (const attempt of this.underWay) attempt.leave();
    this.underWay.clear();
  }
}

/** The parts of an absolute-form request target (RFC 9112 §3.2.2). */
function wholeUrl(url: string): { authority: string; path: string } | undefined {
  if (url.startsWith("/")) return undefined;
  const match = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url);
  if (match === null) return undefined;
  const [, authority = "", rest = ""] = match;
  // Whoever names a user there names nobody that we know.
  return { authority: authority.slice(authority.lastIndexOf("@") + 1), path: rest || "/" };
}

function upstreamFields(
  { rawFields, told }: Origins,
  client: ClientFacts,
  configuration: Configuration,
  rules: FieldRules,
): string[] {
  const named = namedByConnection(told("connection"));
  const { forwarded } = configuration;
  const fields: string[] = [];
  for (let at = 0; at + 1 < rawFields.length; at += 2) {
    const name = rawFields[at] as string;
    const value = rawFields[at + 1] as string;
    const known = name.toLowerCase();
    if (rules.endsInRequest(known, value, named) || rules.isForged(known)) continue;
    // Node.js has answered it, and the target is not asked again.
    if (known === "expect") continue;
    // HTTP/2 has these in place of a request line.
    if (known.startsWith(":")) continue;
    if (forwarded && known === "x-forwarded-for") continue;
    fields.push(name, value);
  }
  for (const [name, value] of rules.forwarding(client, told)) fields.push(name, value);
  fields.push("via", configuration.via);
  return fields;
}
