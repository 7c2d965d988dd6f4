/** A client's request, ready to be sent as often as it takes. */

import { type FieldRules, hops, joined, namedByConnection } from "../driver/headers.js";
import type { About } from "../driver/proxy.js";
import { ReplayBody } from "../driver/replay.js";
import type { Body, Configuration, Target } from "../engine/interface.js";
import { type Parts, partsOf } from "../web/url.js";
import { largePieces } from "./pieces.js";

/**
 * What the runtime itself keeps to its connections (RFC 9110 §7.6.1). `upgrade`
 * must be left to it: with that field it is asked for a WebSocket.
 */
const RUNTIME_ENDS = new Set(["connection", "keep-alive", "te", "transfer-encoding", "upgrade"]);

const OF_REQUESTS = new Set(["proxy-authorization", "http2-settings"]);

export class Inbound {
  readonly about: About;
  /** The client has gone: nothing that comes now counts for or against a target. */
  left = false;
  /** Whether `leave` is called when the client goes. */
  followsClient = false;
  private readonly url: Parts;
  private readonly via: string | null;
  /** Absent where there is none, and where it can only be sent once: see `unrepeatable`. */
  private readonly body: ReplayBody | undefined;
  /** The body of a GET or HEAD goes on only with the client's own request. */
  private readonly unrepeatable: boolean;
  private spent = false;
  private fields: Headers | undefined;
  private readonly underWay: AbortController[] = [];

  constructor(
    private readonly request: Request,
    configuration: Configuration,
    private readonly rules: FieldRules,
    private readonly endings: readonly string[],
  ) {
    const { method, url, body, headers } = request;
    this.url = partsOf(url);
    this.via = headers.get("via");
    this.about = { method, path: this.url.path, hops: hops(this.via), hasBody: body !== null };
    this.unrepeatable = body !== null && (method === "GET" || method === "HEAD");
    if (body !== null && !this.unrepeatable) {
      this.body = new ReplayBody(
        body,
        configuration.replayBodyBytes,
        () => this.giveUp(),
        largePieces,
      );
    }
  }

  /** Sends it to a target, with the target's share of the body. */
  send({ origin, basePath }: Target, signal: AbortSignal | undefined): Promise<Response> {
    const url = origin + joined(basePath, this.url.path);
    if (this.body !== undefined) return this.sendBody(url, this.body, signal);
    if (this.unrepeatable) return this.sendOnce(url, signal);
    return this.fetch(url, null, signal);
  }

  private async sendBody(
    url: string,
    body: ReplayBody,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const length = this.request.headers.get("content-length");
    if (length === null) return this.fetch(url, body.send(unsized), signal);
    const bytes = Number(length);
    const whole = await body.whole(bytes);
    // A target may insist on the length, so it is kept.
    return this.fetch(url, whole ?? body.send(() => new FixedLengthStream(bytes)), signal);
  }

  private fetch(
    url: string,
    body: Uint8Array | ReadableStream<Uint8Array> | null,
    signal: AbortSignal | undefined,
  ): Promise<Response> {
    const { method, cf } = this.request;
    const headers = this.upstreamFields();
    return fetch(url, { method, headers, body, cf, redirect: "manual", signal: signal ?? null });
  }

  /** With a body, only a copy of the client's own request can be a GET. */
  private sendOnce(url: string, signal: AbortSignal | undefined): Promise<Response> {
    this.spent = true;
    const copy = new Request(new Request(url, this.request), { headers: this.upstreamFields() });
    return fetch(copy, { redirect: "manual", signal: signal ?? null });
  }

  get fate(): Body {
    if (this.unrepeatable) return this.spent ? "gone" : "untouched";
    return this.body?.fate ?? "untouched";
  }

  async reclaim(): Promise<Body> {
    await this.body?.reclaim();
    return this.fate;
  }

  /** See `Upload.progress`. Who has gone is waited for forever. */
  get progress(): number {
    return this.left ? Number.POSITIVE_INFINITY : (this.body?.progress ?? 0);
  }

  /** An attempt ends when the client goes. */
  begin(attempt: AbortController): void {
    this.underWay.push(attempt);
  }

  leave(): void {
    this.left = true;
    this.giveUp();
  }

  private giveUp(): void {
    for (const attempt of this.underWay) attempt.abort();
  }

  /** The client's fields, made those of the requests that go on. */
  private upstreamFields(): Headers {
    if (this.fields !== undefined) return this.fields;
    const { rules } = this;
    const told = this.request.headers;
    const fields = new Headers(told);
    for (const name of this.endings) fields.delete(name);
    for (const name of namedByConnection(told.get("connection")) ?? []) {
      if (!RUNTIME_ENDS.has(name)) fields.delete(name);
    }
    for (const name of told.keys()) {
      if (name.startsWith("spin-") || rules.imitates(name)) fields.delete(name);
    }
    const address = told.get("cf-connecting-ip") ?? undefined;
    // Without the edge nobody says who the client is, least of all the client.
    if (address === undefined && rules.isForged("x-forwarded-for"))
      fields.delete("x-forwarded-for");
    const { authority: host, scheme } = this.url;
    const client = { address, host, scheme };
    for (const [name, value] of rules.forwarding(client, (name) => told.get(name))) {
      fields.set(name, value);
    }
    fields.set("via", rules.via(this.via));
    this.fields = fields;
    return fields;
  }
}

/**
 * The fields of a request that end here, of those that the runtime lets
 * through. They are few and known, and to look at every field of every request
 * would cost more than all that is decided about it.
 */
export function endingFields(configuration: Configuration, rules: FieldRules): string[] {
  return [
    ...endingAtProxy(configuration),
    // The three of `x-forwarded-` are set anew; this one is not.
    ...(rules.isForged("forwarded") ? ["forwarded"] : []),
    // The edge has answered it. workerd by itself takes a target's `100 Continue` for the response.
    "expect",
  ];
}

/** The fields of one connection that the runtime lets through. */
function endingAtProxy({ hopByHop }: Configuration): string[] {
  return hopByHop.filter((name) => !RUNTIME_ENDS.has(name));
}

/** The same of a response, without those that only requests have: each look at a field costs. */
export function endingFieldsOfResponse(configuration: Configuration): string[] {
  return endingAtProxy(configuration).filter((name) => !OF_REQUESTS.has(name));
}

function unsized(): TransformStream<Uint8Array, Uint8Array> {
  return new IdentityTransformStream();
}
