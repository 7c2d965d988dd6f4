/** ESA as the driver's platform, for one client's request: the runtime's limits count for each. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Platform, Probing, Sending, Store } from "../driver/platform.js";
import type { Configuration, Failure, Target } from "../engine/interface.js";
import { sending } from "../web/sending.js";
import { readOut } from "../web/short-body.js";
import { failureBehind, failureOf } from "./failures.js";
import type { Inbound } from "./inbound.js";
import type { Init } from "./runtime.js";
import { Subrequests } from "./subrequests.js";

/** Should the rest of a probe's answer never end, ms. */
const READ_OUT = 1_200;

/** A target's answer; it counts as a subrequest until it is dropped. */
export interface Answer {
  readonly response: Response;
  letGo(): void;
}

export class Invocation implements Platform<Inbound, Answer> {
  private readonly subrequests = new Subrequests();

  constructor(
    private readonly configuration: Configuration,
    readonly store: Store | undefined,
    readonly notice: (line: string) => void,
  ) {}

  send(request: Inbound, target: Target): Sending<Answer> {
    const url = request.urlAt(target);
    const turn = this.subrequests.begin<Answer>("live", () =>
      sending(async (signal) => {
        const response = await fetch(url, request.outbound(signal));
        const letGo = () => turn.endAfter(cancelled(response));
        insistOnTarget(response, letGo);
        return { response, letGo };
      }, request.ends),
    );
    return turn;
  }

  probe(url: string): Probing {
    const headers = {
      "user-agent": this.configuration.userAgent,
      accept: "*/*",
      // A cache on the way would answer for a target that is down.
      "cache-control": "no-store",
    };
    const turn = this.subrequests.begin<number>("probe", () =>
      sending(async (signal) => {
        const init: Omit<Init, "duplex"> = {
          headers,
          redirect: "manual",
          decompress: "manual",
          signal,
        };
        const response = await fetch(url, init);
        insistOnTarget(response, () => turn.endAfter(cancelled(response)));
        // Behind the result. The subrequest is under way until then.
        const read = readOut(response);
        turn.endAfter(read, READ_OUT);
        return response.status;
      }),
    );
    return turn;
  }

  failure(error: unknown): Failure {
    return failureOf(error);
  }

  status({ response }: Answer): number {
    return response.status;
  }

  retryAfter({ response }: Answer): string | undefined {
    return response.headers.get("retry-after") ?? undefined;
  }

  drop(answer: Answer): void {
    answer.letGo();
  }
}

/** Throws when it is ESA that answers, since the target did not. */
function insistOnTarget(response: Response, letGo: () => void): void {
  const failure = failureBehind(response.status);
  if (failure === undefined) return;
  letGo();
  throw new AttemptFailed(failure);
}

/** Ends a body that nobody reads. It may have broken already, which is all the same now. */
async function cancelled({ body }: Response): Promise<void> {
  if (body !== null && !body.locked) await body.cancel();
}
