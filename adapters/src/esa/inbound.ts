/** A client's request, which can be sent to one target after another. */

import { type ClientFacts, type FieldRules, hops, joined } from "../driver/headers.js";
import { ReplayBody } from "../driver/replay.js";
import type { About } from "../driver/reverse-proxy.js";
import type { Configuration, ReplayState, Target } from "../engine/interface.js";
import { upstreamFields } from "../web/fields.js";
import { partsOf } from "../web/url.js";
import type { EsaRequest, Init } from "./runtime.js";

export class Inbound {
  readonly about: About;
  /** Aborts when the client disconnects, where the runtime reports it. */
  readonly disconnected: AbortSignal | undefined;
  /** Aborts when nothing more is to be sent. */
  private readonly broken = new AbortController();
  private readonly path: string;
  private readonly fields: Headers;
  private readonly body: ReplayBody;

  /** `body`: what `bodyOf` found. */
  constructor(
    request: EsaRequest,
    body: ReadableStream<Uint8Array> | null,
    configuration: Configuration,
    rules: FieldRules,
  ) {
    const { method, headers } = request;
    const { scheme, authority, path } = partsOf(request.url);
    const client: ClientFacts = { address: addressOf(request), host: authority, scheme };
    this.path = path;
    this.fields = upstreamFields(headers, rules, client);
    this.body = new ReplayBody(body, configuration.replayBodyBytes, () => this.broken.abort());
    this.about = { method, path, hops: hops(headers.get("via")), hasBody: this.body.exists };
    const { signal } = request;
    this.disconnected = signal;
    // A request whose body broke off ends like one whose client has disconnected.
    signal?.addEventListener("abort", () => this.broken.abort(), { once: true });
    if (signal?.aborted) this.broken.abort();
  }

  urlAt({ origin, basePath }: Target): string {
    return origin + joined(basePath, this.path);
  }

  /** The request for a target, with its share of the body. */
  outbound(signal: AbortSignal): Init {
    return {
      method: this.about.method,
      headers: this.fields,
      body: this.body.send(() => new TransformStream<Uint8Array, Uint8Array>()),
      duplex: "half",
      redirect: "manual",
      decompress: "manual",
      signal,
    };
  }

  /** Aborts with the client, or when it breaks its body off. */
  get ends(): AbortSignal {
    return this.broken.signal;
  }

  get replayState(): ReplayState {
    return this.disconnected?.aborted ? "aborted" : this.body.replayState;
  }

  async stopUpload(): Promise<ReplayState> {
    await this.body.stopUpload();
    return this.replayState;
  }

  get uploadProgress(): number {
    return this.body.uploadProgress;
  }
}

/** The address of the connection to ESA. Not from the request's fields, which a client can forge. */
function addressOf({ info }: EsaRequest): string | undefined {
  const address = info?.remote_addr;
  return typeof address === "string" && address !== "" ? address : undefined;
}

/**
 * Whether it is a GET or HEAD with a body. `fetch` sends none with these (WHATWG
 * Fetch), and dropping the body would change the request.
 */
export function cannotBeSent({ method, headers, body }: EsaRequest): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const length = headers.get("content-length");
  if (length !== null) return length !== "0";
  return headers.has("transfer-encoding") || (body ?? null) !== null;
}

/** The request's body, unless it is empty: an empty stream would be sent chunked. */
export async function bodyOf({
  method,
  headers,
  body = null,
}: EsaRequest): Promise<ReadableStream<Uint8Array> | null> {
  if (body === null || method === "GET" || method === "HEAD") return null;
  const length = headers.get("content-length");
  if (length !== null) return length === "0" ? null : body;
  if (headers.has("transfer-encoding")) return body;
  // An HTTP/1.1 request then has no body; with HTTP/2 only reading it shows.
  const reader = body.getReader();
  for (;;) {
    const first = await reader.read();
    if (first.done) return null;
    if (first.value.byteLength > 0) return resumed(first.value, reader);
  }
}

/** A stream whose first chunk has been read. */
function resumed(
  first: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
