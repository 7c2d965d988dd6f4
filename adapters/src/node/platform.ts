/** Node.js as the driver's platform. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import { joined as joinedPath } from "../driver/headers.js";
import type { Platform, Sending, Store } from "../driver/platform.js";
import type { Configuration, Failure, Target } from "../engine/interface.js";
import type { Answer } from "./answer.js";
import { Attempt } from "./attempt.js";
import { joined } from "./fields.js";
import type { Inbound } from "./inbound.js";
import type { Pools } from "./pools.js";
import { StreamedAttempt } from "./streamed.js";

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
    const secure = isSecure(target.origin);
    if (request.isStreamed) {
      const { connectTimeout } = this.configuration;
      const to = { origin: target.origin, path, secure, connectTimeout };
      const attempt = new StreamedAttempt(request, this.pools.streaming, to);
      request.begin(attempt);
      return attempt;
    }
    const attempt = new Attempt(secure, request);
    request.begin(attempt);
    const { method, fields: headers, upgrade } = request;
    const pool = this.pools.of(target.origin);
    // undici's types leave out that a body may be an async iterable.
    const body = request.body?.forAttempt() as Uint8Array | undefined;
    if (upgrade !== undefined) pool.dispatch({ method, path, headers, upgrade }, attempt);
    else if (body !== undefined) pool.dispatch({ method, path, headers, body }, attempt);
    else pool.dispatch({ method, path, headers }, attempt);
    return attempt;
  }

  probe(url: string): Sending<number> {
    const origin = this.probed.get(url)?.origin;
    if (origin === undefined) throw new RangeError(`no target is probed at ${url}`);
    const attempt = new Attempt(isSecure(origin));
    const path = url.slice(origin.length);
    const headers = this.probeFields;
    this.pools.of(origin).dispatch({ method: "GET", path, headers }, attempt);
    const result = attempt.result.then((answer) => {
      answer.drop();
      return answer.status;
    });
    return { result, abort: () => attempt.abort() };
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
