/**
 * Why a subrequest brought no response. ESA reports this by an error of `fetch`,
 * or by one of its own statuses in place of the target's.
 */

import type { Failure } from "../engine/interface.js";
import { RUNTIMES, type Saying } from "../web/failures.js";

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
export const SAYINGS: readonly Saying[] = [
  [/authority is same with origin authority/i, "http-request-denied"],
  [/no available fetch proxy address/i, "destination-unavailable"],
  [/connection reset|ECONNRESET|EPIPE|broken pipe/i, "connection-terminated"],
  [/IP address/i, "http-request-denied"],
  [/subrequest/i, "connection-limit-reached"],
  ...RUNTIMES,
];

/** Which failure a response stands for, if any. */
export function failureBehind(status: number): Failure | undefined {
  // RFC 9110 §15: statuses end at 599.
  return status > 599 ? "http-protocol-error" : NOTHING_SENT.get(status);
}
