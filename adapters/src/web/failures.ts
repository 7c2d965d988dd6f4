/** Which failure an error of `fetch` is, by what it says: the standard has only `TypeError`. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Failure } from "../engine/interface.js";

export type Saying = readonly [said: RegExp, failure: Failure];

/** What Deno and Node.js say. */
export const RUNTIMES: readonly Saying[] = [
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

/** By the first of `sayings` that matches. An unknown error may have reached the target. */
export function failureBy(sayings: readonly Saying[], error: unknown): Failure {
  if (error instanceof AttemptFailed) return error.failure;
  const message = messageOf(error);
  return sayings.find(([said]) => said.test(message))?.[1] ?? "connection-terminated";
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
