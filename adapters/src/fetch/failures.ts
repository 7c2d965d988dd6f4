/** Which failure an error of the runtime's `fetch` is: the first that matches counts. */

import { RUNTIMES, type Saying } from "../web/failures.js";

export const SAYINGS: readonly Saying[] = [
  // It may have been so once the request was on its way.
  [/connection reset|ECONNRESET|EPIPE|broken pipe/i, "connection-terminated"],
  // Bun, before there is a connection.
  [/ConnectionRefused/, "connection-refused"],
  [/FailedToOpenSocket/, "destination-unavailable"],
  // A certificate that Node.js and Bun do not trust.
  [/UNABLE_TO_|ERR_TLS_CERT|CERT_/, "tls-certificate-error"],
  ...RUNTIMES,
];
