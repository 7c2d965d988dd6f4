/**
 * Sends a request to the same target a second time when the first failure is not
 * evidence against the target. The driver sees only the result of the second.
 */

import type { Sending } from "../driver/platform.js";
import { AttemptError } from "./attempt-error.js";
import type { UpstreamResponse } from "./upstream-response.js";

/** The connection that a request goes over. */
export type ConnectionKind =
  /** One that may have been used before. */
  | "pooled"
  /** A new one. */
  | "fresh"
  /** A new one, whose response may have both a `content-length` and a `transfer-encoding`. */
  | "lenient";

/** RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);

/** What this module needs of a request. */
interface Repeatable {
  readonly method: string;
  /** Stops the attempt that reads the body. Whether the body can be sent again from its first byte. */
  rewind(): boolean;
}

/** Sends by `make`. A response whose body is invalid from its start is a failed attempt. */
export function sendWithRetry(
  request: Repeatable,
  make: (kind: ConnectionKind) => Sending<UpstreamResponse>,
): Sending<UpstreamResponse> {
  let current = started(make, "pooled");
  let aborted = false;
  const retry = (error: unknown): Promise<UpstreamResponse> => {
    const kind = aborted ? undefined : kindForRetry(error, request);
    if (kind === undefined) throw error;
    current = started(make, kind);
    return current.result.then(sound);
  };
  return {
    result: current.result.then(sound, retry),
    abort() {
      aborted = true;
      current.abort();
    },
  };
}

/** Turns what `make` throws into a failed attempt. */
function started(
  make: (kind: ConnectionKind) => Sending<UpstreamResponse>,
  kind: ConnectionKind,
): Sending<UpstreamResponse> {
  try {
    return make(kind);
  } catch (error) {
    const failed = new AttemptError("http-request-uri-invalid", "never", error);
    return { result: Promise.reject(failed), abort() {} };
  }
}

function kindForRetry(error: unknown, request: Repeatable): ConnectionKind | undefined {
  if (!(error instanceof AttemptError) || error.resend === "never") return undefined;
  if (error.resend !== "unsent" && !IDEMPOTENT.has(request.method)) return undefined;
  if (!request.rewind()) return undefined;
  return error.resend === "conflicting-framing" ? "lenient" : "fresh";
}

/**
 * A chunk that came with the head may be invalid: undici reports it after it has
 * closed the socket, which takes two turns of the event loop.
 */
function sound(upstream: UpstreamResponse): UpstreamResponse | Promise<UpstreamResponse> {
  if (!upstream.isBare || upstream.fields["transfer-encoding"] === undefined)
    return checked(upstream);
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  }).then(() => checked(upstream));
}

/** Nothing has gone to the client yet, so a response that broke at once is a failed attempt. */
function checked(upstream: UpstreamResponse): UpstreamResponse {
  const { brokenAtOnce } = upstream;
  if (brokenAtOnce === undefined) return upstream;
  throw new AttemptError("http-protocol-error", "never", brokenAtOnce);
}
