/** A client's request, which can be sent to one target after another. */

import { type ClientFacts, hops } from "../driver/headers.js";
import type { About } from "../driver/reverse-proxy.js";
import type { ReplayState } from "../engine/interface.js";
import type { Abortable } from "./attempt.js";
import type { ClientBody } from "./body.js";
import { type FieldMap, joined } from "./fields.js";
import { isHost } from "./host.js";
import type { RequestFields } from "./request-fields.js";

/** What an inbound request is made of, whichever handler received it. */
export interface Origins {
  readonly method: string;
  /** The request target as it came: a path with its query, `*`, or a whole URL. */
  readonly url: string;
  /** Names and values alternating. */
  readonly rawFields: readonly string[];
  /** The same, by name. */
  readonly fields: FieldMap;
  readonly client: ClientFacts;
  readonly body: ClientBody | undefined;
  /** The protocol that the client asks to switch to. */
  readonly upgrade?: string;
  /** Holds the trailers of the body once it has ended. */
  readonly trailing?: { readonly rawTrailers: readonly string[] };
}

/** Fields that no trailer may be: a target that merges trailers into the head would be misled (RFC 9110 §6.5.1). */
const NO_TRAILERS = new Set([
  "authorization",
  "cache-control",
  "connection",
  "content-encoding",
  "content-length",
  "content-range",
  "content-type",
  "cookie",
  "expect",
  "forwarded",
  "host",
  "max-forwards",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
]);

export class Inbound implements About {
  readonly method: string;
  readonly path: string;
  readonly hops: number;
  readonly hasBody: boolean;
  /** Whether there is a body of unknown length. */
  readonly isStreamed: boolean;
  /** For the target: names and values alternating. */
  readonly fields: string[];
  readonly body: ClientBody | undefined;
  readonly upgrade: string | undefined;
  /** `http` or `https`. */
  readonly scheme: string | undefined;
  private readonly given: FieldMap;
  private readonly trailing: Origins["trailing"];
  private attempts: Abortable[] = [];
  private disconnected = false;

  constructor(from: Origins, fields: RequestFields) {
    const { method, url, body } = from;
    const whole = wholeUrl(url);
    this.method = method;
    this.path = whole?.path ?? url;
    this.hops = hops(joined(from.fields.via));
    this.hasBody = body !== undefined;
    this.isStreamed = body !== undefined && from.fields["content-length"] === undefined;
    const client = whole === undefined ? from.client : { ...from.client, host: whole.authority };
    this.scheme = client.scheme;
    this.given = from.fields;
    this.fields = fields.forTarget(from.rawFields, from.fields, client);
    this.body = body;
    this.upgrade = from.upgrade;
    this.trailing = from.trailing;
  }

  /** The body's trailers for the target, once the body has ended; names and values alternating. */
  get trailers(): readonly string[] {
    const raw = this.trailing?.rawTrailers ?? [];
    const isKept = (name: string | undefined) => !NO_TRAILERS.has(name?.toLowerCase() ?? "");
    // A value is kept with its name before it.
    return raw.filter((_, at) => isKept(raw[at - (at % 2)]));
  }

  /** A field as the client sent it. */
  field(name: string): string | undefined {
    return joined(this.given[name]);
  }

  /** The body as text, unless it is longer than `most` bytes, takes longer than `timeout`, ms, or is no text. */
  async text(most: number, timeout: number): Promise<string | undefined> {
    if (this.body === undefined) return "";
    const late = setTimeout(() => this.body?.stopUpload(), timeout);
    const decoder = new TextDecoder("utf-8", { fatal: true });
    try {
      let text = "";
      let bytes = 0;
      for await (const chunk of this.body.forAttempt()) {
        bytes += chunk.byteLength;
        if (bytes > most) return undefined;
        text += decoder.decode(chunk, { stream: true });
      }
      return text + decoder.decode();
    } catch {
      // It broke off, was stopped, or is no text.
      return undefined;
    } finally {
      clearTimeout(late);
      this.body.stopUpload();
    }
  }

  get isDisconnected(): boolean {
    return this.disconnected;
  }

  get replayState(): ReplayState {
    if (this.disconnected) return "aborted";
    return this.body?.replayState ?? "unsent";
  }

  async stopUpload(): Promise<ReplayState> {
    this.body?.stopUpload();
    return this.replayState;
  }

  /** Stops the attempt that reads the body. Whether the body can be sent again from its first byte. */
  rewind(): boolean {
    this.body?.stopUpload();
    return this.replayState === "unsent" || this.replayState === "replayable";
  }

  get uploadProgress(): number {
    return this.body?.uploadProgress ?? 0;
  }

  /** An attempt ends when the client disconnects. */
  begin(attempt: Abortable): void {
    if (this.disconnected) attempt.onDisconnect();
    else this.attempts.push(attempt);
  }

  end(attempt: Abortable): void {
    const at = this.attempts.indexOf(attempt);
    if (at >= 0) this.attempts.splice(at, 1);
  }

  /** The client has disconnected: everything under way for it ends. */
  onDisconnect(): void {
    if (this.disconnected) return;
    this.disconnected = true;
    this.body?.fail(new Error("the client has disconnected"));
    const { attempts } = this;
    this.attempts = [];
    for (const attempt of attempts) attempt.onDisconnect();
  }
}

/** Scheme, host with port, and the rest of an absolute-form request target (RFC 9112 §3.2.2). */
const ABSOLUTE = /^https?:\/\/([^/?#]+)(.*)$/i;

/** The parts of an absolute-form target; undefined for another one, which the engine refuses unless it is a path. */
export function wholeUrl(url: string): { authority: string; path: string } | undefined {
  if (url.startsWith("/")) return undefined;
  const [, before = "", rest = ""] = ABSOLUTE.exec(url) ?? [];
  // Userinfo is not part of the host.
  const authority = before.slice(before.lastIndexOf("@") + 1);
  if (authority === "" || !isHost(authority)) return undefined;
  return { authority, path: rest.startsWith("/") ? rest : `/${rest}` };
}
