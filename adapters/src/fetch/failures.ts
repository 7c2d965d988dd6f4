/** Which failure an error of the runtime's `fetch` is. */

import type { Failure } from "../engine/interface.js";
import { failureBy, RUNTIMES, type Saying } from "../web/failures.js";

const SAYINGS: readonly Saying[] = [
  // It may have been so once the request was on its way.
  [/connection reset|ECONNRESET|EPIPE|broken pipe/i, "connection-terminated"],
  // Bun, before there is a connection.
  [/FailedToOpenSocket/, "destination-unavailable"],
  // A certificate that Node.js and Bun do not trust.
  [/UNABLE_TO_|ERR_TLS_CERT|CERT_/, "tls-certificate-error"],
  ...RUNTIMES,
];

export function failureOf(error: unknown): Failure {
  return failureBy(SAYINGS, error);
}
