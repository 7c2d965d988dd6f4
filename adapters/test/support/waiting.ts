/** Waiting for what happens soon, without a fixed delay. */

/**
 * The time limit for things that take milliseconds on an idle machine and
 * longer on a busy one, ms.
 */
export const SOON = 10_000;

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Waits until `check` yields something other than nothing or false. `what`
 * completes the sentence "… did not happen".
 */
export async function eventually<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  within = SOON,
): Promise<T> {
  const until = performance.now() + within;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() >= until) {
      throw new Error(`within ${within} ms this did not happen: ${what}`);
    }
    await sleep(10);
  }
}

/** The result of `work`, if it comes in time. */
export async function within<T>(ms: number, what: string, work: Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`within ${ms} ms this did not happen: ${what}`)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
