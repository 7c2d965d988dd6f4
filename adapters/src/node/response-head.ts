/** Whether the head of a target's response can be passed on, and as what. */

import type { Failure } from "../engine/interface.js";
import { type FieldMap, joined } from "./fields.js";

/** The longest head by default, of requests and of responses, bytes. */
export const MAX_HEAD_BYTES = 64 * 1024;

/** What RFC 9110 §5.5 excludes and Node.js refuses to send. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether another response follows (RFC 9110 §15.2). */
export function isInterim(status: number): boolean {
  return status === 100 || (status > 101 && status < 200);
}

/**
 * The fields of a final response, with one framing; or the failure that it is.
 * `switching`: whether an upgrade was requested.
 */
export function checkedHead(
  status: number,
  fields: FieldMap,
  switching = false,
): { readonly fields: FieldMap } | { readonly failure: Failure } {
  const known = status >= 200 ? status <= 599 : status === 101 && switching;
  if (!known || !isSendable(fields)) return { failure: "http-protocol-error" };
  const coding = joined(fields["transfer-encoding"]);
  // Any other cannot be passed on, and without it the body is unreadable.
  if (coding !== undefined && coding.trim().toLowerCase() !== "chunked") {
    return { failure: "http-response-transfer-coding" };
  }
  // RFC 9112 §6.3, RFC 9110 §8.6: such a length has no meaning.
  const ignored = coding !== undefined || status === 204 || status === 101;
  if (!ignored || fields["content-length"] === undefined) return { fields };
  const { "content-length": _, ...rest } = fields;
  return { fields: rest };
}

function isSendable(fields: FieldMap): boolean {
  for (const name of Object.keys(fields)) {
    const value = fields[name];
    if (typeof value === "string" ? UNSENDABLE.test(value) : value?.some((v) => UNSENDABLE.test(v)))
      return false;
  }
  return true;
}
