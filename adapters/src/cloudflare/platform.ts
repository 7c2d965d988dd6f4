/** Workers as the driver's platform. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Platform, Probing, Sending, Store } from "../driver/platform.js";
import type { Configuration, Failure, Forward, Target } from "../engine/interface.js";
import { readOut } from "../web/short-body.js";
import { failureBehind, failureOf } from "./failures.js";
import type { Inbound } from "./inbound.js";

export class WorkersPlatform implements Platform<Inbound, Response> {
  private readonly probeFields: Record<string, string>;

  constructor(
    configuration: Configuration,
    readonly store: Store | undefined,
  ) {
    this.probeFields = {
      "user-agent": configuration.userAgent,
      accept: "*/*",
      // A cache on the way would answer for a target that is down.
      "cache-control": "no-store",
    };
  }

  send(inbound: Inbound, target: Target, forward: Forward): Sending<Response> {
    const abort = mayBeGivenUp(inbound, forward) ? new AbortController() : undefined;
    if (abort !== undefined) inbound.begin(abort);
    const started = performance.now();
    const result = inbound.send(target, abort?.signal).then(
      (response) => answered(response, started),
      (error: unknown) => {
        // That the client has gone says nothing of the target, and nobody waits for what comes.
        if (inbound.left) return new Promise<Response>(() => {});
        throw error;
      },
    );
    return { result, abort: () => abort?.abort() };
  }

  probe(url: string): Probing {
    const abort = new AbortController();
    const sent = fetch(url, {
      headers: this.probeFields,
      redirect: "manual",
      signal: abort.signal,
    });
    const started = performance.now();
    const answer = sent.then((response) => answered(response, started));
    const result = answer.then(({ status }) => status);
    const rest = answer.then(readOut, () => {});
    return { result, rest, abort: () => abort.abort() };
  }

  failure(error: unknown): Failure {
    return failureOf(error);
  }

  status(answer: Response): number {
    return answer.status;
  }

  retryAfter(answer: Response): string | undefined {
    return answer.headers.get("retry-after") ?? undefined;
  }

  drop(answer: Response): void {
    letGo(answer);
  }

  notice(line: string): void {
    console.warn(line);
  }
}

/**
 * Whether an attempt gets a signal, which is dear. A plain one of a warm
 * request without a body does not: it ends with its request, by itself. Should
 * its time run out before, it is only waited for no more.
 */
function mayBeGivenUp(inbound: Inbound, { report, widen }: Forward): boolean {
  return (
    report ||
    widen !== Number.POSITIVE_INFINITY ||
    inbound.about.hasBody ||
    // It has work behind it, and then it does not end with its client.
    inbound.followsClient
  );
}

/** The response, if it is one of the target's. `started`: by `performance.now()`. */
function answered(response: Response, started: number): Response {
  const failure = failureBehind(response, started);
  if (failure === undefined) return response;
  letGo(response);
  throw new AttemptFailed(failure);
}

/** A body that nobody reads would hold one of the six connections. */
function letGo(response: Response): void {
  response.webSocket?.accept();
  response.webSocket?.close();
  response.body?.cancel().catch(() => {});
}
