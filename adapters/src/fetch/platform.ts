/** The runtime's `fetch` as the driver's platform. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Platform, Probing, Sending, Store } from "../driver/platform.js";
import { probeFields, probeResponse } from "../driver/probe.js";
import type { Stats } from "../driver/stats.js";
import type { Configuration, Failure, Target } from "../engine/interface.js";
import type { Reporting } from "../reporting.js";
import { drain } from "../web/drain.js";
import { failureBy } from "../web/failures.js";
import type { Inbound } from "../web/inbound.js";
import { sending } from "../web/sending.js";
import { LEAVES_BODIES, plain } from "./coding.js";
import { SAYINGS } from "./failures.js";

/** What Node.js and Bun have beyond the standard; other runtimes ignore it. */
interface Init extends RequestInit {
  /** Required by WHATWG Fetch when the body is a stream. */
  readonly duplex: "half";
  /** Bun: a compressed body is passed on as it is, with its fields. */
  readonly decompress: false;
}

export class FetchPlatform implements Platform<Inbound, Response> {
  readonly notice: (line: string) => void;
  readonly stats: (stats: Stats) => void;
  private readonly probeFields: Record<string, string>;
  private readonly targets = new WeakMap<Response, string>();

  constructor(
    configuration: Configuration,
    readonly store: Store | undefined,
    { notice, stats }: Reporting,
  ) {
    this.notice = notice;
    this.stats = stats;
    this.probeFields = probeFields(configuration);
  }

  send(request: Inbound, target: Target): Sending<Response> {
    const { method } = request.about;
    return sending(async (signal) => {
      const init = await initOf(request, signal);
      const response = plain(final(await fetch(request.urlAt(target), init)), method);
      this.targets.set(response, target.origin + target.basePath);
      return response;
    }, request.ends);
  }

  probe(url: string): Probing {
    const { result, abort } = sending((signal) =>
      fetch(url, { headers: this.probeFields, redirect: "manual", signal }),
    );
    return {
      result: result.then(({ status, headers }) =>
        probeResponse(status, (name) => headers.get(name)),
      ),
      rest: result.then(drain, () => {}),
      abort,
    };
  }

  failure(error: unknown): Failure {
    return failureBy(SAYINGS, error);
  }

  status(response: Response): number {
    return response.status;
  }

  retryAfter(response: Response): string | undefined {
    return response.headers.get("retry-after") ?? undefined;
  }

  drop(response: Response): void {
    void drain(response);
  }

  /** The address of the target that sent a response. */
  targetOf(response: Response): string | undefined {
    return this.targets.get(response);
  }
}

/** A response that can be passed on: Deno has others as well, such as a 101 that nobody asked for. */
function final(response: Response): Response {
  if (response.status >= 200 && response.status < 600) return response;
  void drain(response);
  throw new AttemptFailed("http-protocol-error");
}

/** The request for a target, with its share of the body. */
async function initOf({ about, fields, body }: Inbound, signal: AbortSignal): Promise<Init> {
  const headers = new Headers(fields);
  if (!LEAVES_BODIES) headers.set("accept-encoding", "identity");
  const length = headers.get("content-length");
  const whole = length === null ? undefined : await body.whole(Number(length));
  // `fetch` sets it itself.
  if (whole !== undefined) headers.delete("content-length");
  return {
    method: about.method,
    headers,
    body:
      // The types know no bytes that may lie in shared memory.
      (whole as Uint8Array<ArrayBuffer> | undefined) ??
      body.send(() => new TransformStream<Uint8Array, Uint8Array>()),
    duplex: "half",
    redirect: "manual",
    decompress: false,
    signal,
  };
}
