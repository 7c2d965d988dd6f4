/** A `fetch` that can be given up, by us or by the client's leaving. */

import type { Sending } from "../driver/platform.js";

/** Begins `work`; its signal aborts when the attempt is given up, or with `client`. */
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
