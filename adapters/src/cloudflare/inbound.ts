/** A client's request, which can be sent to one target after another. */

import { type FieldRules, hops, joined, namedByConnection } from "../driver/headers.js";
import { ReplayBody } from "../driver/replay.js";
import type { About } from "../driver/reverse-proxy.js";
import type { Configuration, ReplayState, Target } from "../engine/interface.js";
import { type Parts, partsOf } from "../web/url.js";
import { byobReader } from "./byob-reader.js";

/**
 * The hop-by-hop fields that the runtime itself handles (RFC 9110 §7.6.1).
 * `upgrade` must be left to it: the field requests a WebSocket.
 */
const RUNTIME_ENDS = new Set(["connection", "keep-alive", "te", "transfer-encoding", "upgrade"]);

const OF_REQUESTS = new Set(["proxy-authorization", "http2-settings"]);

export class Inbound {
  readonly about: About;
  /** The client has disconnected: no result counts for or against a target any more. */
  disconnected = false;
  /** Whether `onDisconnect` is called when the client disconnects. */
  followsClient = false;
  private readonly url: Parts;
  private readonly via: string | null;
  /** Absent without a body, and where it can be sent only once: see `unrepeatable`. */
  private readonly body: ReplayBody | undefined;
  /** The body of a GET or HEAD can be forwarded only with the client's own `Request`. */
  private readonly unrepeatable: boolean;
  private spent = false;
  private fields: Headers | undefined;
  private readonly attempts: AbortController[] = [];

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
        () => this.abortAttempts(),
        byobReader,
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
    // A target may require the length, so it is kept.
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

  /** Only a copy of the client's own `Request` can be a GET with a body. */
  private sendOnce(url: string, signal: AbortSignal | undefined): Promise<Response> {
    this.spent = true;
    const copy = new Request(new Request(url, this.request), { headers: this.upstreamFields() });
    return fetch(copy, { redirect: "manual", signal: signal ?? null });
  }

  get replayState(): ReplayState {
    if (this.unrepeatable) return this.spent ? "consumed" : "unsent";
    return this.body?.replayState ?? "unsent";
  }

  async stopUpload(): Promise<ReplayState> {
    await this.body?.stopUpload();
    return this.replayState;
  }

  /** See `Upload.uploadProgress`. Once the client has disconnected, no time-out runs. */
  get uploadProgress(): number {
    return this.disconnected ? Number.POSITIVE_INFINITY : (this.body?.uploadProgress ?? 0);
  }

  /** An attempt is aborted when the client disconnects. */
  begin(attempt: AbortController): void {
    this.attempts.push(attempt);
  }

  onDisconnect(): void {
    this.disconnected = true;
    this.abortAttempts();
  }

  private abortAttempts(): void {
    for (const attempt of this.attempts) attempt.abort();
  }

  /** The fields of the upstream request. */
  private upstreamFields(): Headers {
    if (this.fields !== undefined) return this.fields;
    const { rules } = this;
    const { headers } = this.request;
    const fields = new Headers(headers);
    for (const name of this.endings) fields.delete(name);
    for (const name of namedByConnection(headers.get("connection")) ?? []) {
      if (!RUNTIME_ENDS.has(name)) fields.delete(name);
    }
    for (const name of headers.keys()) {
      if (name.startsWith("spin-") || rules.imitates(name)) fields.delete(name);
    }
    const address = headers.get("cf-connecting-ip") ?? undefined;
    // Outside Cloudflare's edge the client's address is unknown, and its own claim does not count.
    if (address === undefined && rules.isForged("x-forwarded-for"))
      fields.delete("x-forwarded-for");
    const { authority: host, scheme } = this.url;
    const client = { address, host, scheme };
    for (const [name, value] of rules.forwarding(client, (name) => headers.get(name))) {
      fields.set(name, value);
    }
    fields.set("via", rules.via(this.via));
    this.fields = fields;
    return fields;
  }
}

/**
 * The request fields to drop, of those that the runtime lets through. They are
 * few and known in advance: checking every field of every request would cost more
 * than routing it.
 */
export function endingFields(configuration: Configuration, rules: FieldRules): string[] {
  return [
    ...endingAtProxy(configuration),
    // The three `x-forwarded-` fields are set anew; this one is not.
    ...(rules.isForged("forwarded") ? ["forwarded"] : []),
    // The edge has answered it. Standalone workerd takes a target's `100 Continue` for the response.
    "expect",
  ];
}

/** The hop-by-hop fields that the runtime lets through. */
function endingAtProxy({ hopByHop }: Configuration): string[] {
  return hopByHop.filter((name) => !RUNTIME_ENDS.has(name));
}

/** The same for a response, without those that only requests have: each lookup of a field costs. */
export function endingFieldsOfResponse(configuration: Configuration): string[] {
  return endingAtProxy(configuration).filter((name) => !OF_REQUESTS.has(name));
}

function unsized(): TransformStream<Uint8Array, Uint8Array> {
  return new IdentityTransformStream();
}
