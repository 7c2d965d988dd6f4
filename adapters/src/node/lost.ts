/** An attempt that brought no answer, and whether its own target may be asked once more. */

import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Failure } from "../engine/interface.js";

/** How its target may be asked once more, before the driver hears of it. */
export type Again =
  /** Not at all. */
  | "never"
  /** Any request: not a byte of it was sent. */
  | "unsent"
  /** An idempotent one: a kept connection was closed as it arrived (RFC 9110 §9.2.2). */
  | "kept"
  /** An idempotent one, by a parser that takes what this one did not. */
  | "framed-twice";

export class Lost extends AttemptFailed {
  constructor(
    failure: Failure,
    readonly again: Again,
    cause?: unknown,
  ) {
    super(failure, cause);
  }
}
