/**
 * Why a subrequest brought no answer, as ESA tells it: by an error of `fetch`,
 * or by a status of its own in place of the target's.
 */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Failure } from "../engine/interface.js";

/**
 * Statuses that ESA gives when it could not connect, so that nothing was sent.
 * It keeps 520 to 599 to itself.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/support/http-status-code-description
 */
const NOTHING_SENT: ReadonlyMap<number, Failure> = new Map([
  /** The target refused the connection. */
  [521, "connection-refused"],
  /** The connection was not made in time. */
  [522, "connection-timeout"],
]);

/**
 * What errors say. Alibaba Cloud documents the first three
 * (https://www.alibabacloud.com/help/en/edge-security-acceleration/dcdn/user-guide/common-er-errors).
 * For its rules about addresses and subrequests it gives no words, so that any that name
 * them will do; the rest is how Deno, of which the local runtime is made, and Node.js put it.
 * The first line that fits counts.
 */
const TOLD_BY: readonly (readonly [RegExp, Failure])[] = [
  [/authority is same with origin authority/i, "http-request-denied"],
  [/no available fetch proxy address/i, "destination-unavailable"],
  [/connection reset|ECONNRESET|EPIPE|broken pipe/i, "connection-terminated"],
  [/IP address/i, "http-request-denied"],
  [/subrequest/i, "connection-limit-reached"],
  [/ENOTFOUND|EAI_AGAIN|dns error|failed to lookup|name resolution/i, "dns-error"],
  [/ECONNREFUSED|connection refused/i, "connection-refused"],
  [/UND_ERR_CONNECT_TIMEOUT|\(Connect\).*timed out|connect timeout/i, "connection-timeout"],
  [/certificate|SELF_SIGNED|UnknownIssuer/i, "tls-certificate-error"],
  [/ERR_SSL|InvalidContentType|tls handshake/i, "tls-protocol-error"],
  [/EHOSTUNREACH|ENETUNREACH|unreachable|\(Connect\)/i, "destination-unavailable"],
  // A `Response` has a status of 200 to 599 (WHATWG Fetch).
  [/HPE_|parser|invalid HTTP|parse error|status.*range|range.*status/i, "http-protocol-error"],
  [/UND_ERR_SOCKET|closed|incomplete|unexpected end|EOF/i, "connection-terminated"],
];

/** Which failure an answer stands for, if any. */
export function failureBehind(status: number): Failure | undefined {
  // RFC 9110 §15: there is no such class.
  return status > 599 ? "http-protocol-error" : NOTHING_SENT.get(status);
}

/** Which failure an error of `fetch` is. What cannot be told may have reached the target. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AttemptFailed) return error.failure;
  const told = wordsOf(error);
  return TOLD_BY.find(([words]) => words.test(told))?.[1] ?? "connection-terminated";
}

/** What an error and those behind it say. */
function wordsOf(error: unknown): string {
  const words: string[] = [];
  let cause = error;
  // A chain of causes may be a circle.
  for (let depth = 0; depth < 5 && cause instanceof Error; depth += 1) {
    const { code } = cause as { code?: unknown };
    words.push(cause.message, typeof code === "string" ? code : "");
    cause = cause.cause ?? (cause instanceof AggregateError ? cause.errors[0] : undefined);
  }
  return words.join(" ");
}
