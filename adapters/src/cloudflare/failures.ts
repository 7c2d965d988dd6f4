/**
 * Why an attempt brought no response, as Workers tell it: in two ways.
 *
 * In workerd by itself (`wrangler dev`, self-hosted) `fetch` throws. What it
 * throws is the same for a refused connection, a reset one and one that was
 * closed without an answer, so that none of them is proof that nothing was sent.
 *
 * At Cloudflare's edge `fetch` hardly ever throws. A response with a status of
 * Cloudflare's own stands for the failure, and those in the table below are given
 * when the origin server never got the request.
 */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Failure } from "../engine/interface.js";

/**
 * Statuses of Cloudflare's own that mean that nothing was sent.
 * https://developers.cloudflare.com/support/troubleshooting/http-status-codes/cloudflare-5xx-errors/
 *
 * Not among them: 520 (an answer came that was none) and 524 (no answer in
 * time): there the request may have been acted upon.
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
 * 522 has a second meaning, once connected: that the request was not
 * acknowledged within 90 s. The first is known after 19 s, so that what takes
 * longer than this may have been sent, ms.
 */
const CONNECTED_BY = 60_000;

/** Which failure a response stands for, if any. `started`: the request, by `performance.now()`. */
export function failureBehind(response: Response, started: number): Failure | undefined {
  const { status } = response;
  // Interim responses never get here from the edge. workerd by itself takes one for the final response.
  // A switch of protocols comes with its WebSocket, where one was asked for.
  if (status < 200) return response.webSocket === null ? "http-protocol-error" : undefined;
  // RFC 9110 §15: there is no such class.
  if (status > 599) return "http-protocol-error";
  if (status < 521) return undefined;
  const failure = NOTHING_SENT.get(status);
  // An origin may use these statuses in a sense of its own. Cloudflare signs what it makes up.
  if (failure === undefined || response.headers.get("server") !== "cloudflare") return undefined;
  if (status === 522 && performance.now() - started > CONNECTED_BY) return "attempt-timeout";
  return failure;
}

/** Which failure an error of `fetch` is. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AttemptFailed) return error.failure;
  // Of all that `fetch` says before it has sent anything only this can be told apart: the URL or the method.
  if (error instanceof TypeError) return "http-request-uri-invalid";
  // The property is documented for Durable Objects; workerd sets it on errors of the network, too.
  const lost = error instanceof Error && "retryable" in error && error.retryable === true;
  return lost ? "connection-terminated" : "http-protocol-error";
}
