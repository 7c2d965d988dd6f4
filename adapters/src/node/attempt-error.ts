/** An attempt that brought no response, and whether the request may be sent to the same target again. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Failure } from "../engine/interface.js";

/** Whether the request may be sent to the same target again, before the failure is reported to the driver. */
export type Resend =
  /** No. */
  | "never"
  /** Yes, whatever its method: not a byte of it was sent. */
  | "unsent"
  /** If it is idempotent: a kept-alive connection was closed as the request arrived (RFC 9110 §9.2.2). */
  | "stale-connection"
  /** If it is idempotent, with a lenient parser: the response had both a length and a transfer coding. */
  | "conflicting-framing";

export class AttemptError extends AttemptFailed {
  constructor(
    failure: Failure,
    readonly resend: Resend,
    cause?: unknown,
  ) {
    super(failure, cause);
  }
}
