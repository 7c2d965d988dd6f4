/** The error of an attempt without a response, where the host knows why. */

import type { Failure } from "../engine/interface.js";

export class AttemptFailed extends Error {
  constructor(
    readonly failure: Failure,
    cause?: unknown,
  ) {
    super(`the attempt failed: ${failure}`, { cause });
  }
}
