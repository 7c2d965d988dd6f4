/** A `fetch` that can be aborted, by the driver or because the client disconnects. */

import type { Sending } from "../driver/platform.js";

/** Begins `work`; its signal aborts with the attempt, or with `client`. */
export function sending<T>(
  work: (signal: AbortSignal) => Promise<T>,
  client?: AbortSignal,
): Sending<T> {
  const giveUp = new AbortController();
  const abort = () => giveUp.abort();
  if (client?.aborted) abort();
  else client?.addEventListener("abort", abort, { once: true });
  return { result: work(giveUp.signal), abort };
}
