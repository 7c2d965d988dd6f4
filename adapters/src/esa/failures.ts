/**
 * Why a subrequest brought no response. ESA reports this by an error of `fetch`,
 * or by one of its own statuses in place of the target's.
 */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Failure } from "../engine/interface.js";

/**
 * Statuses that ESA returns when it could not connect, so that nothing was sent.
 * It reserves 520 to 599.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/support/http-status-code-description
 */
const NOTHING_SENT: ReadonlyMap<number, Failure> = new Map([
  /** The target refused the connection. */
  [521, "connection-refused"],
  /** The connection was not made in time. */
  [522, "connection-timeout"],
]);

/**
 * Error messages. Alibaba Cloud documents the first three
 * (https://www.alibabacloud.com/help/en/edge-security-acceleration/dcdn/user-guide/common-er-errors).
 * For its rules about addresses and subrequests it documents no message, so any that mentions
 * them matches; the rest are messages of Deno, on which the local runtime is based, and of Node.js.
 * The first match counts.
 */
const BY_MESSAGE: readonly (readonly [RegExp, Failure])[] = [
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

/** Which failure a response stands for, if any. */
export function failureBehind(status: number): Failure | undefined {
  // RFC 9110 §15: statuses end at 599.
  return status > 599 ? "http-protocol-error" : NOTHING_SENT.get(status);
}

/** Which failure an error of `fetch` is. An unknown one may have reached the target. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AttemptFailed) return error.failure;
  const message = messageOf(error);
  return BY_MESSAGE.find(([pattern]) => pattern.test(message))?.[1] ?? "connection-terminated";
}

/** The messages and codes of an error and its causes. */
function messageOf(error: unknown): string {
  const parts: string[] = [];
  let cause = error;
  // A chain of causes may be a circle.
  for (let depth = 0; depth < 5 && cause instanceof Error; depth += 1) {
    const { code } = cause as { code?: unknown };
    parts.push(cause.message, typeof code === "string" ? code : "");
    cause = cause.cause ?? (cause instanceof AggregateError ? cause.errors[0] : undefined);
  }
  return parts.join(" ");
}
