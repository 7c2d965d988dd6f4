/** A client's request, ready to be sent as often as it takes. */

import { type FieldRules, hops, joined, namedByConnection } from "../driver/headers.js";
import type { About } from "../driver/proxy.js";
import { ReplayBody } from "../driver/replay.js";
import type { Body, Configuration, Target } from "../engine/interface.js";

/** What a URL parser would take for `..`, or for a `/` before one. */
const HIDDEN_DOTS = /%2e|\\/i;

export class Inbound {
  readonly about: About;
  /** The client has gone: nothing that comes now counts for or against a target. */
  left = false;
  /** Whether `leave` is called when the client goes. */
  followsClient = false;
  private readonly path: string;
  private readonly scheme: string;
  private readonly host: string;
  private readonly via: string | null;
  /** Absent where there is none, and where it can only be sent once: see `unrepeatable`. */
  private readonly body: ReplayBody | undefined;
  /** The body of a GET or HEAD goes on only with the client's own request. */
  private readonly unrepeatable: boolean;
  private spent = false;
  private readonly underWay: AbortController[] = [];

  constructor(
    private readonly request: Request,
    configuration: Configuration,
    private readonly rules: FieldRules,
  ) {
    const { method, url, body, headers } = request;
    const hostAt = url.indexOf("//") + 2;
    const pathAt = url.indexOf("/", hostAt);
    this.scheme = url.slice(0, hostAt - 3);
    this.host = url.slice(hostAt, pathAt);
    this.path = pathOf(url, pathAt);
    this.via = headers.get("via");
    this.about = { method, hops: hops(this.via), hasBody: body !== null };
    this.unrepeatable = body !== null && (method === "GET" || method === "HEAD");
    if (body !== null && !this.unrepeatable) {
      this.body = new ReplayBody(body, configuration.replayBodyBytes);
    }
  }

  /** The request for a target, with its share of the body. */
  outbound({ origin, basePath }: Target): Request {
    const { request } = this;
    const url = origin + joined(basePath, this.path);
    if (this.unrepeatable) this.spent = true;
    // Made of the client's own request, which carries `cf` on. The way by a second
    // one is the only one that replaces the body: as `init` a request is taken whole.
    const body = this.body?.send(() => through(request.headers));
    const outbound = new Request(url, body ? new Request(request, { body }) : request);
    this.rewrite(outbound.headers);
    return outbound;
  }

  get fate(): Body {
    if (this.unrepeatable) return this.spent ? "gone" : "untouched";
    return this.body?.fate ?? "untouched";
  }

  async reclaim(): Promise<Body> {
    await this.body?.reclaim();
    return this.fate;
  }

  /** See `Platform.uploadProgress`. Who has gone is waited for forever. */
  get progress(): number {
    return this.left ? Number.POSITIVE_INFINITY : (this.body?.progress ?? 0);
  }

  /** An attempt ends when the client goes. */
  begin(attempt: AbortController): void {
    this.underWay.push(attempt);
  }

  leave(): void {
    this.left = true;
    for (const attempt of this.underWay) attempt.abort();
  }

  /** Makes the client's fields those of the request that goes on. */
  private rewrite(fields: Headers): void {
    const { request, rules } = this;
    const told = request.headers;
    const named = namedByConnection(told.get("connection"));
    for (const [name, value] of told) {
      // A WebSocket's handshake is the runtime's to make, and `upgrade` is how it is asked to.
      if (name === "upgrade") continue;
      // The edge has answered `expect`. workerd by itself takes a target's `100 Continue` for the response.
      if (name === "expect" || rules.endsInRequest(name, value, named) || rules.isForged(name)) {
        fields.delete(name);
      }
    }
    const client = {
      address: told.get("cf-connecting-ip") ?? undefined,
      host: this.host,
      scheme: this.scheme,
    };
    for (const [name, value] of rules.forwarding(client, (name) => told.get(name))) {
      fields.set(name, value);
    }
    fields.set("via", rules.via(this.via));
  }
}

/**
 * Path and query, as they came. `fetch` would resolve encoded dots once the
 * target's base path stands before them, and leave it: so they are resolved here.
 */
function pathOf(url: string, pathAt: number): string {
  const path = url.slice(pathAt);
  if (!HIDDEN_DOTS.test(path)) return path;
  const { pathname, search } = new URL(url);
  return pathname + search;
}

/** What a body passes through: with its length, where the client has said it, since a target may insist on one. */
function through(headers: Headers): TransformStream<Uint8Array, Uint8Array> {
  const length = headers.get("content-length");
  return length === null ? new IdentityTransformStream() : new FixedLengthStream(Number(length));
}
