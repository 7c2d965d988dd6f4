/** Workers as the driver's platform. */

import type { Platform, Sending, Store } from "../driver/platform.js";
import type { Body, Configuration, Failure, Target } from "../engine/interface.js";
import { AttemptFailed, failureBehind, failureOf } from "./failures.js";
import type { Inbound } from "./inbound.js";

/** Redirects are the client's to follow. */
const MANUAL = "manual";

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

  send(inbound: Inbound, target: Target): Sending<Response> {
    const abort = new AbortController();
    inbound.begin(abort);
    return { result: this.exchange(inbound, target, abort.signal), abort: () => abort.abort() };
  }

  private async exchange(inbound: Inbound, target: Target, signal: AbortSignal): Promise<Response> {
    const started = performance.now();
    try {
      const response = await fetch(inbound.outbound(target), { redirect: MANUAL, signal });
      const failure = failureBehind(response, () => performance.now() - started);
      if (failure === undefined) return response;
      this.drop(response);
      throw new AttemptFailed(failure);
    } catch (error) {
      // That the client has gone says nothing of the target, and nobody waits for what comes.
      if (inbound.left) return new Promise(() => {});
      throw error;
    }
  }

  probe(url: string): Sending<number> {
    const abort = new AbortController();
    const sent = fetch(url, { headers: this.probeFields, redirect: MANUAL, signal: abort.signal });
    const started = performance.now();
    const result = sent.then((response) => {
      const failure = failureBehind(response, () => performance.now() - started);
      this.drop(response);
      if (failure !== undefined) throw new AttemptFailed(failure);
      return response.status;
    });
    return { result, abort: () => abort.abort() };
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

  /** A body that nobody reads would hold one of the six connections. */
  drop(answer: Response): void {
    answer.webSocket?.accept();
    answer.webSocket?.close();
    answer.body?.cancel().catch(() => {});
  }

  body(inbound: Inbound): Body {
    return inbound.fate;
  }

  reclaim(inbound: Inbound): Promise<Body> {
    return inbound.reclaim();
  }

  uploadProgress(inbound: Inbound): number {
    return inbound.progress;
  }

  notice(line: string): void {
    console.warn(line);
  }
}
