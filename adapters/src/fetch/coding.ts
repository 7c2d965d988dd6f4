/**
 * Compressed responses. `fetch` decompresses them, so a target is asked for none; what one
 * sends all the same reaches the client decompressed, or not at all.
 */

import { AttemptFailed } from "../driver/attempt-failed.js";
import { WITHOUT_BODY } from "../web/relay.js";

/** Whether `fetch` leaves bodies as they are if it is told to: Bun does. */
export const LEAVES_BODIES = "Bun" in globalThis;

/** Whether the fields that describe a body are removed when it is decompressed: Deno does. */
const MENDS_FIELDS = "Deno" in globalThis;

/** What every `fetch` decompresses. */
const DECODED = /^(?:\s*(?:x-gzip|gzip|deflate|br)\s*(?:,|$))+$/i;

/** Newer runtimes decompress it, and others do not: there is no telling what the body is. */
const UNCERTAIN = /\bzstd\b/i;

/** The response with fields that describe its body as it is read. */
export function plain(response: Response, method: string): Response {
  const { status, statusText } = response;
  const coding = response.headers.get("content-encoding");
  if (coding === null || LEAVES_BODIES || MENDS_FIELDS) return response;
  if (method === "HEAD" || WITHOUT_BODY.has(status)) return response;
  if (UNCERTAIN.test(coding)) throw new AttemptFailed("http-protocol-error");
  if (!DECODED.test(coding)) return response;
  const headers = new Headers(response.headers);
  headers.delete("content-encoding");
  headers.delete("content-length");
  return new Response(response.body, { status, statusText, headers });
}
