/** Node.js as the driver's platform. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import { joined as joinedPath } from "../driver/headers.js";
import type { Platform, Sending, Store } from "../driver/platform.js";
import type { Configuration, Failure, Target } from "../engine/interface.js";
import type { Answer } from "./answer.js";
import { type Abortable, Attempt } from "./attempt.js";
import { joined } from "./fields.js";
import type { Inbound } from "./inbound.js";
import { sendOnceMore, type Way } from "./once-more.js";
import type { Pools } from "./pools.js";
import { type Outgoing, StreamedAttempt } from "./streamed.js";

/** A probe, but for its fields. */
const PROBE = {
  method: "GET",
  body: undefined,
  isStreamed: false,
  trailers: [],
  end() {},
  takeBack: () => true,
} as const;

export class NodePlatform implements Platform<Inbound, Answer> {
  private readonly probeFields: string[];
  /** By the URL of its probes. */
  private readonly probed: ReadonlyMap<string, Target>;

  constructor(
    private readonly configuration: Configuration,
    private readonly pools: Pools,
    readonly store: Store | undefined,
    readonly notice: (line: string) => void,
  ) {
    this.probeFields = [
      ...["user-agent", configuration.userAgent],
      ...["accept", "*/*"],
      // A cache on the way would answer for a target that is down.
      ...["cache-control", "no-store"],
    ];
    this.probed = new Map(configuration.targets.map((target) => [target.healthUrl, target]));
  }

  send(request: Inbound, target: Target): Sending<Answer> {
    const path = joinedPath(target.basePath, request.path);
    return sendOnceMore(request, (way) => {
      const attempt = this.attempt(request, target.origin, path, way);
      request.begin(attempt);
      return attempt;
    });
  }

  private attempt(
    request: Inbound,
    origin: string,
    path: string,
    way: Way,
  ): Sending<Answer> & Abortable {
    const { method, fields: headers, upgrade } = request;
    if (upgrade === undefined && (request.isStreamed || this.isFramedTwice(origin, way))) {
      return this.streamed(request, origin, path, way);
    }
    const attempt = new Attempt(isSecure(origin), request);
    // undici's types leave out that a body may be an async iterable.
    const body = request.body?.forAttempt() as Uint8Array | undefined;
    const dispatcher = way === "kept" ? this.pools.of(origin) : this.pools.fresh(origin);
    if (upgrade !== undefined) dispatcher.dispatch({ method, path, headers, upgrade }, attempt);
    else if (body !== undefined) dispatcher.dispatch({ method, path, headers, body }, attempt);
    else dispatcher.dispatch({ method, path, headers }, attempt);
    if (way !== "kept") void dispatcher.close();
    return attempt;
  }

  private streamed(
    outgoing: Outgoing,
    origin: string,
    path: string,
    way: Way,
  ): Sending<Answer> & Abortable {
    const { connectTimeout } = this.configuration;
    const { longestHead } = this.pools;
    const to = { origin, path, secure: isSecure(origin), connectTimeout, longestHead };
    const manner = { alone: way !== "kept", framedTwice: this.isFramedTwice(origin, way) };
    const attempt = new StreamedAttempt(outgoing, this.pools.streaming, to, manner);
    if (way === "framed-twice") {
      // From now on it is asked so at once.
      attempt.result.then(
        () => this.pools.framedTwice.add(origin),
        () => {},
      );
    }
    return attempt;
  }

  private isFramedTwice(origin: string, way: Way): boolean {
    return way === "framed-twice" || this.pools.framedTwice.has(origin);
  }

  probe(url: string): Sending<number> {
    const origin = this.probed.get(url)?.origin;
    if (origin === undefined) throw new RangeError(`no target is probed at ${url}`);
    const path = url.slice(origin.length);
    const sending = sendOnceMore(PROBE, (way) => {
      if (this.isFramedTwice(origin, way)) {
        const outgoing = { ...PROBE, fields: this.probeFields };
        return this.streamed(outgoing, origin, path, way);
      }
      const attempt = new Attempt(isSecure(origin));
      const dispatcher = way === "kept" ? this.pools.of(origin) : this.pools.fresh(origin);
      dispatcher.dispatch({ method: "GET", path, headers: this.probeFields }, attempt);
      if (way !== "kept") void dispatcher.close();
      return attempt;
    });
    const result = sending.result.then((answer) => {
      // A short body is read to its end, behind the measurement.
      answer.drop();
      return answer.status;
    });
    return { result, abort: () => sending.abort() };
  }

  failure(error: unknown): Failure {
    return error instanceof AttemptFailed ? error.failure : "internal-error";
  }

  status(answer: Answer): number {
    return answer.status;
  }

  retryAfter(answer: Answer): string | undefined {
    return joined(answer.fields["retry-after"]);
  }

  drop(answer: Answer): void {
    answer.drop();
  }
}

function isSecure(origin: string): boolean {
  return origin.startsWith("https:");
}
