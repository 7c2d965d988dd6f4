/** Discards the body of a response that no client gets. */

/**
 * Up to so many bytes, and for so long in ms, a body is read so that the connection can be
 * reused: a target that is cut off logs an error.
 */
const DRAINED_BYTES = 64 * 1024;
const DRAINED_FOR = 1_000;

/** Reads a short body to its end, and cancels a long one. Never rejects. */
export async function drain({ body }: Response): Promise<void> {
  if (body === null || body.locked) return;
  const reader = body.getReader();
  const late = setTimeout(() => reader.cancel().catch(() => {}), DRAINED_FOR);
  try {
    for (let bytes = 0; bytes <= DRAINED_BYTES; ) {
      const { done, value } = await reader.read();
      if (done) return;
      bytes += value.byteLength;
    }
    await reader.cancel();
  } catch {
    // It broke off, which no longer matters.
  } finally {
    clearTimeout(late);
  }
}
