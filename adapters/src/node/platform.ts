/** Node.js as the driver's platform. */

import type { Dispatcher } from "undici";
import { AttemptFailed } from "../driver/attempt-failed.js";
import { joined as joinedPath } from "../driver/headers.js";
import type { Platform, Probing, Sending, Store } from "../driver/platform.js";
import { probeFields, probeResponse } from "../driver/probe.js";
import type { Stats } from "../driver/stats.js";
import type { Configuration, Failure, Target } from "../engine/interface.js";
import type { Reporting } from "../reporting.js";
import { type Abortable, Attempt } from "./attempt.js";
import type { ConnectionPools } from "./connection-pools.js";
import { joined } from "./fields.js";
import type { Inbound } from "./inbound.js";
import { type ConnectionKind, sendWithRetry } from "./same-target-retry.js";
import { type Outgoing, StreamedAttempt } from "./streamed.js";
import type { UpstreamResponse } from "./upstream-response.js";

/** A probe, without its fields. */
const PROBE = {
  method: "GET",
  body: undefined,
  isStreamed: false,
  trailers: [],
  end() {},
  rewind: () => true,
} as const;

export class NodePlatform implements Platform<Inbound, UpstreamResponse> {
  readonly notice: (line: string) => void;
  readonly stats: (stats: Stats) => void;
  private readonly probeFields: string[];
  /** By the URL of its probes. */
  private readonly probed: ReadonlyMap<string, Target>;

  constructor(
    private readonly configuration: Configuration,
    private readonly pools: ConnectionPools,
    readonly store: Store | undefined,
    { notice, stats }: Reporting,
    /** Whether each response tells its target. */
    private readonly namesTargets: boolean,
  ) {
    this.notice = notice;
    this.stats = stats;
    this.probeFields = Object.entries(probeFields(configuration)).flat();
    this.probed = new Map(configuration.targets.map((target) => [target.healthUrl, target]));
  }

  send(request: Inbound, target: Target): Sending<UpstreamResponse> {
    const path = joinedPath(target.basePath, request.path);
    const sending = sendWithRetry(request, (kind) => {
      const attempt = this.attempt(request, target.origin, path, kind);
      request.begin(attempt);
      return attempt;
    });
    if (!this.namesTargets) return sending;
    const result = sending.result.then((upstream) => {
      upstream.target = target.origin + target.basePath;
      return upstream;
    });
    return { result, abort: () => sending.abort() };
  }

  private attempt(
    request: Inbound,
    origin: string,
    path: string,
    kind: ConnectionKind,
  ): Sending<UpstreamResponse> & Abortable {
    const { method, fields: headers, upgrade } = request;
    if (upgrade === undefined && this.pools.custom === undefined) {
      if (request.isStreamed || this.needsLenientParser(origin, kind)) {
        return this.streamed(request, origin, path, kind);
      }
    }
    const attempt = new Attempt(isSecure(origin), request);
    // undici's types leave out that a body may be an async iterable.
    const body = request.body?.forAttempt() as Uint8Array | undefined;
    if (upgrade !== undefined)
      this.dispatch(origin, { method, path, headers, upgrade }, attempt, kind);
    else if (body !== undefined)
      this.dispatch(origin, { method, path, headers, body }, attempt, kind);
    else this.dispatch(origin, { method, path, headers }, attempt, kind);
    return attempt;
  }

  private dispatch(
    origin: string,
    options: Dispatcher.DispatchOptions,
    attempt: Attempt,
    kind: ConnectionKind,
  ): void {
    const { custom, limits } = this.pools;
    if (custom !== undefined) {
      // It has its own limits, which these replace; the pools of this package have them already.
      const times = { headersTimeout: 0, bodyTimeout: limits.idleTimeout };
      custom.dispatch({ ...options, ...times, origin }, attempt);
      return;
    }
    const dispatcher = kind === "pooled" ? this.pools.of(origin) : this.pools.fresh(origin);
    dispatcher.dispatch(options, attempt);
    if (kind !== "pooled") void dispatcher.close();
  }

  private streamed(
    outgoing: Outgoing,
    origin: string,
    path: string,
    kind: ConnectionKind,
  ): Sending<UpstreamResponse> & Abortable {
    const { connectTimeout } = this.configuration;
    const { limits, tls } = this.pools;
    const to = { origin, path, secure: isSecure(origin), connectTimeout, limits, tls };
    const connection = { fresh: kind !== "pooled", lenient: this.needsLenientParser(origin, kind) };
    const attempt = new StreamedAttempt(outgoing, this.pools.streaming, to, connection);
    if (kind === "lenient") {
      // From now on this origin gets the lenient parser at once.
      attempt.result.then(
        () => this.pools.conflictingFraming.add(origin),
        () => {},
      );
    }
    return attempt;
  }

  private needsLenientParser(origin: string, kind: ConnectionKind): boolean {
    return kind === "lenient" || this.pools.conflictingFraming.has(origin);
  }

  probe(url: string): Probing {
    const origin = this.probed.get(url)?.origin;
    if (origin === undefined) throw new RangeError(`no target is probed at ${url}`);
    const path = url.slice(origin.length);
    const sending = sendWithRetry(PROBE, (kind) => {
      if (this.pools.custom === undefined && this.needsLenientParser(origin, kind)) {
        const outgoing = { ...PROBE, fields: this.probeFields };
        return this.streamed(outgoing, origin, path, kind);
      }
      const attempt = new Attempt(isSecure(origin));
      this.dispatch(origin, { method: "GET", path, headers: this.probeFields }, attempt, kind);
      return attempt;
    });
    const result = sending.result.then((upstream) => {
      // A short body is read to its end, after the measurement.
      upstream.drop();
      return probeResponse(upstream.status, (name) => joined(upstream.fields[name]));
    });
    return { result, abort: () => sending.abort() };
  }

  failure(error: unknown): Failure {
    return error instanceof AttemptFailed ? error.failure : "internal-error";
  }

  status(upstream: UpstreamResponse): number {
    return upstream.status;
  }

  retryAfter(upstream: UpstreamResponse): string | undefined {
    return joined(upstream.fields["retry-after"]);
  }

  drop(upstream: UpstreamResponse): void {
    upstream.drop();
  }
}

function isSecure(origin: string): boolean {
  return origin.startsWith("https:");
}
