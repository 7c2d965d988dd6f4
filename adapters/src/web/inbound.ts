/** A client's `Request`, which can be sent to one target after another. */

import { type ClientFacts, type FieldRules, hops, joined } from "../driver/headers.js";
import { ReplayBody } from "../driver/replay.js";
import type { About } from "../driver/reverse-proxy.js";
import type { Configuration, ReplayState, Target } from "../engine/interface.js";
import { upstreamFields } from "./fields.js";
import type { Parts } from "./url.js";

/** What it needs of the request. */
export interface Head {
  readonly method: string;
  readonly headers: Headers;
  /** Aborts when the client disconnects, where the runtime reports it. */
  readonly signal: AbortSignal | undefined;
}

export class Inbound {
  readonly about: About;
  readonly fields: Headers;
  readonly body: ReplayBody;
  private readonly disconnected: AbortSignal | undefined;
  /** Aborts when nothing more is to be sent. */
  private readonly broken = new AbortController();

  /**
   * `body`: what `bodyOf` found. `address`: the client's, not from the request's fields,
   * which a client can forge.
   */
  constructor(
    { method, headers, signal }: Head,
    { scheme, authority, path }: Parts,
    body: ReadableStream<Uint8Array> | null,
    address: string | undefined,
    configuration: Configuration,
    rules: FieldRules,
  ) {
    const client: ClientFacts = { address, host: authority, scheme };
    this.fields = upstreamFields(headers, rules, client);
    this.body = new ReplayBody(body, configuration.replayBodyBytes, () => this.broken.abort());
    this.about = { method, path, hops: hops(headers.get("via")), hasBody: this.body.exists };
    this.disconnected = signal;
    // A request whose body broke off ends like one whose client has disconnected.
    signal?.addEventListener("abort", () => this.broken.abort(), { once: true });
    if (signal?.aborted) this.broken.abort();
  }

  urlAt({ origin, basePath }: Target): string {
    return origin + joined(basePath, this.about.path);
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
