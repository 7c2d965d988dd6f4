/** The body of an answer that nobody gets. */

/** So much is read to keep the connection, and for so long, ms: a target that is cut off notes an error. */
const SHORT = 64 * 1024;
const SHORT_TIME = 1_000;

/** Reads a short body to its end, and ends a long one. Never rejects: it may break as it likes. */
export async function readOut({ body }: Response): Promise<void> {
  if (body === null || body.locked) return;
  const reader = body.getReader();
  const late = setTimeout(() => reader.cancel().catch(() => {}), SHORT_TIME);
  try {
    for (let bytes = 0; bytes <= SHORT; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // It broke off, which is all the same now.
  } finally {
    clearTimeout(late);
  }
}
