/** ESA as the driver's platform, for one client's request: the runtime's limits apply to each request. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Platform, Probing, Sending, Store } from "../driver/platform.js";
import { probeFields, probeResponse } from "../driver/probe.js";
import { type Stats, statsLine } from "../driver/stats.js";
import type { Configuration, Failure, ProbeResponse, Target } from "../engine/interface.js";
import { drain } from "../web/drain.js";
import { failureBy } from "../web/failures.js";
import type { Inbound } from "../web/inbound.js";
import { sending } from "../web/sending.js";
import { failureBehind, SAYINGS } from "./failures.js";
import type { Init } from "./runtime.js";
import { Subrequests } from "./subrequests.js";

/** For the rest of a probe's response, ms. */
const DRAIN_TIMEOUT = 1_200;

/** A target's response; it counts as a subrequest until it is dropped. */
export interface UpstreamResponse {
  readonly response: Response;
  release(): void;
}

export class EsaPlatform implements Platform<Inbound, UpstreamResponse> {
  private readonly subrequests = new Subrequests();

  constructor(
    private readonly configuration: Configuration,
    readonly store: Store | undefined,
    readonly notice: (line: string) => void,
  ) {}

  send(request: Inbound, target: Target): Sending<UpstreamResponse> {
    const url = request.urlAt(target);
    const turn = this.subrequests.begin<UpstreamResponse>("live", () =>
      sending(async (signal) => {
        const response = await fetch(url, outbound(request, signal));
        const release = () => turn.endAfter(cancelled(response));
        assertFromTarget(response, release);
        return { response, release };
      }, request.ends),
    );
    return turn;
  }

  probe(url: string): Probing {
    const headers = probeFields(this.configuration);
    const turn = this.subrequests.begin<ProbeResponse>("probe", () =>
      sending(async (signal) => {
        const init: Omit<Init, "duplex"> = {
          headers,
          redirect: "manual",
          decompress: "manual",
          signal,
        };
        const response = await fetch(url, init);
        assertFromTarget(response, () => turn.endAfter(cancelled(response)));
        // After the measurement; the subrequest counts until then.
        turn.endAfter(drain(response), DRAIN_TIMEOUT);
        return probeResponse(response.status, (name) => response.headers.get(name));
      }),
    );
    return turn;
  }

  failure(error: unknown): Failure {
    return failureBy(SAYINGS, error);
  }

  status({ response }: UpstreamResponse): number {
    return response.status;
  }

  retryAfter({ response }: UpstreamResponse): string | undefined {
    return response.headers.get("retry-after") ?? undefined;
  }

  drop(response: UpstreamResponse): void {
    response.release();
  }

  stats(stats: Stats): void {
    this.notice(statsLine(stats));
  }
}

/** The request for a target, with its share of the body. */
function outbound({ about, fields, body }: Inbound, signal: AbortSignal): Init {
  return {
    method: about.method,
    headers: fields,
    body: body.send(() => new TransformStream<Uint8Array, Uint8Array>()),
    duplex: "half",
    redirect: "manual",
    decompress: "manual",
    signal,
  };
}

/** Throws when the response is ESA's own, since the target sent none. */
function assertFromTarget(response: Response, release: () => void): void {
  const failure = failureBehind(response.status);
  if (failure === undefined) return;
  release();
  throw new AttemptFailed(failure);
}

/** Cancels an unread body. That it may have broken already no longer matters. */
async function cancelled({ body }: Response): Promise<void> {
  if (body !== null && !body.locked) await body.cancel();
}
