/** A client's request, ready to be sent as often as it takes. */

import { type ClientFacts, hops } from "../driver/headers.js";
import type { About } from "../driver/proxy.js";
import type { Body } from "../engine/interface.js";
import type { Abortable } from "./attempt.js";
import type { ClientBody } from "./body.js";
import { type FieldMap, joined } from "./fields.js";
import type { RequestFields } from "./request-fields.js";

/** What an inbound request is made of, whatever brought it. */
export interface Origins {
  readonly method: string;
  /** The request target as it came: a path with its query, `*`, or a whole URL. */
  readonly url: string;
  /** Names and values by turns. */
  readonly rawFields: readonly string[];
  /** The same, by name. */
  readonly fields: FieldMap;
  readonly client: ClientFacts;
  readonly body: ClientBody | undefined;
  /** The protocol that the client wants to switch to. */
  readonly upgrade?: string;
  /** Has the trailers of the body, once it has ended. */
  readonly trailing?: { readonly rawTrailers: readonly string[] };
}

export class Inbound implements About {
  readonly method: string;
  readonly path: string;
  readonly hops: number;
  readonly hasBody: boolean;
  /** Whether there is a body whose length nobody has said. */
  readonly isStreamed: boolean;
  /** For the target: names and values by turns. */
  readonly fields: string[];
  readonly body: ClientBody | undefined;
  readonly upgrade: string | undefined;
  private readonly trailing: Origins["trailing"];
  /** Mostly one. */
  private underWay: Abortable[] = [];
  private left = false;

  constructor(from: Origins, fields: RequestFields) {
    const { method, url, body } = from;
    const whole = wholeUrl(url);
    this.method = method;
    this.path = whole?.path ?? url;
    this.hops = hops(joined(from.fields.via));
    this.hasBody = body !== undefined;
    this.isStreamed = body !== undefined && from.fields["content-length"] === undefined;
    const client = whole === undefined ? from.client : { ...from.client, host: whole.authority };
    this.fields = fields.forTarget(from.rawFields, from.fields, client);
    this.body = body;
    this.upgrade = from.upgrade;
    this.trailing = from.trailing;
  }

  /** Those of the body, once it has ended; names and values by turns. */
  get trailers(): readonly string[] {
    return this.trailing?.rawTrailers ?? [];
  }

  get hasLeft(): boolean {
    return this.left;
  }

  get fate(): Body {
    if (this.left) return "broken";
    return this.body?.fate ?? "untouched";
  }

  async reclaim(): Promise<Body> {
    this.body?.reclaim();
    return this.fate;
  }

  /** Takes the body back. Whether all can be sent again from the first byte on. */
  takeBack(): boolean {
    this.body?.reclaim();
    return this.fate === "untouched" || this.fate === "replayable";
  }

  get progress(): number {
    return this.body?.progress ?? 0;
  }

  /** An attempt goes with its client. */
  begin(attempt: Abortable): void {
    if (this.left) attempt.leave();
    else this.underWay.push(attempt);
  }

  end(attempt: Abortable): void {
    const at = this.underWay.indexOf(attempt);
    if (at >= 0) this.underWay.splice(at, 1);
  }

  /** The client has gone: so does everything that is done for it. */
  leave(): void {
    if (this.left) return;
    this.left = true;
    this.body?.fail(new Error("the client has gone"));
    const { underWay } = this;
    this.underWay = [];
    for (const attempt of underWay) attempt.leave();
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
