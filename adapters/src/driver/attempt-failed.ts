/** What a host rejects with where it knows why an attempt brought no answer. */

import type { Failure } from "../engine/interface.js";

export class AttemptFailed extends Error {
  constructor(
    readonly failure: Failure,
    cause?: unknown,
  ) {
    super(`the attempt failed: ${failure}`, { cause });
  }
}
