/**
 * Why an attempt brought no response. Workers report this in two ways.
 *
 * In standalone workerd (`wrangler dev`, self-hosted) `fetch` throws. The error is
 * the same for a refused connection, a reset one and one that was closed without a
 * response, so none of them proves that nothing was sent.
 *
 * At Cloudflare's edge `fetch` hardly ever throws. A response with one of
 * Cloudflare's own statuses stands for the failure; those in the table below mean
 * that the origin never got the request.
 */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Failure } from "../engine/interface.js";

/**
 * Cloudflare's own statuses that mean that nothing was sent.
 * https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
 *
 * Not among them: 520 (an invalid response) and 524 (no response in time), where
 * the origin may have processed the request.
 */
const NOTHING_SENT: ReadonlyMap<number, Failure> = new Map([
  /** Web server is down: it refused the connection. */
  [521, "connection-refused"],
  /** Connection timed out: no SYN+ACK. */
  [522, "connection-timeout"],
  /** Origin is unreachable: no route to it. */
  [523, "destination-unavailable"],
  /** TLS handshake failed. */
  [525, "tls-protocol-error"],
  /** Invalid TLS certificate. */
  [526, "tls-certificate-error"],
  /** With an error of 1xxx, nearly always 1016: the origin's name has no address. */
  [530, "dns-error"],
]);

/**
 * 522 has a second meaning once connected: the request was not acknowledged
 * within 90 s. The first meaning is known after 19 s, so a 522 that took longer
 * than this may have been sent, ms.
 */
const CONNECTED_BY = 60_000;

/** Which failure a response stands for, if any. `started`: the request, by `performance.now()`. */
export function failureBehind(response: Response, started: number): Failure | undefined {
  const { status } = response;
  // Interim responses never get here from the edge; standalone workerd takes one for the final response.
  // A 101 comes with its WebSocket where an upgrade was requested.
  if (status < 200) return response.webSocket === null ? "http-protocol-error" : undefined;
  // RFC 9110 §15: statuses end at 599.
  if (status > 599) return "http-protocol-error";
  if (status < 521) return undefined;
  const failure = NOTHING_SENT.get(status);
  // An origin may use these statuses for something else. Cloudflare marks those it generates.
  if (failure === undefined || response.headers.get("server") !== "cloudflare") return undefined;
  if (status === 522 && performance.now() - started > CONNECTED_BY) return "attempt-timeout";
  return failure;
}

/** Which failure an error of `fetch` is. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AttemptFailed) return error.failure;
  // The only error from before anything was sent that can be recognised: a bad URL or method.
  if (error instanceof TypeError) return "http-request-uri-invalid";
  // The property is documented for Durable Objects; workerd sets it on network errors too.
  const lost = error instanceof Error && "retryable" in error && error.retryable === true;
  return lost ? "connection-terminated" : "http-protocol-error";
}
