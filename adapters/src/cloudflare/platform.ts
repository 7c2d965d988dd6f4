/** Workers as the driver's platform. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Platform, Probing, Sending, Store } from "../driver/platform.js";
import { probeFields, probeResponse } from "../driver/probe.js";
import { type Stats, statsLine } from "../driver/stats.js";
import type { Attempt, Configuration, Failure, Target } from "../engine/interface.js";
import { drain } from "../web/drain.js";
import { failureBehind, failureOf } from "./failures.js";
import type { Inbound } from "./inbound.js";

export class WorkersPlatform implements Platform<Inbound, Response> {
  private readonly probeFields: Record<string, string>;

  constructor(
    configuration: Configuration,
    readonly store: Store | undefined,
  ) {
    this.probeFields = probeFields(configuration);
  }

  send(inbound: Inbound, target: Target, attempt: Attempt): Sending<Response> {
    const abort = needsSignal(inbound, attempt) ? new AbortController() : undefined;
    if (abort !== undefined) inbound.begin(abort);
    const started = performance.now();
    const result = inbound.send(target, abort?.signal).then(
      (response) => answered(response, started),
      (error: unknown) => {
        // A client that disconnects is not evidence against the target, and no one waits for the result.
        if (inbound.disconnected) return new Promise<Response>(() => {});
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
    const received = sent.then((response) => answered(response, started));
    const result = received.then(({ status, headers }) =>
      probeResponse(status, (name) => headers.get(name)),
    );
    const rest = received.then(drain, () => {});
    return { result, rest, abort: () => abort.abort() };
  }

  failure(error: unknown): Failure {
    return failureOf(error);
  }

  status(response: Response): number {
    return response.status;
  }

  retryAfter(response: Response): string | undefined {
    return response.headers.get("retry-after") ?? undefined;
  }

  drop(response: Response): void {
    release(response);
  }

  notice(line: string): void {
    console.warn(line);
  }

  stats(stats: Stats): void {
    console.log(statsLine(stats));
  }
}

/**
 * Whether an attempt gets an abort signal, which is expensive. A plain attempt of
 * a warm request without a body does not: the runtime ends it with its request.
 * If it times out first, the driver merely stops waiting for it.
 */
function needsSignal(inbound: Inbound, { report }: Attempt): boolean {
  return (
    report ||
    inbound.about.hasBody ||
    // With background work the runtime does not end it with its client.
    inbound.followsClient
  );
}

/** The response, if the target sent it. `started`: by `performance.now()`. */
function answered(response: Response, started: number): Response {
  const failure = failureBehind(response, started);
  if (failure === undefined) return response;
  release(response);
  throw new AttemptFailed(failure);
}

/** An unread body would hold one of the six connections. */
function release(response: Response): void {
  response.webSocket?.accept();
  response.webSocket?.close();
  response.body?.cancel().catch(() => {});
}
