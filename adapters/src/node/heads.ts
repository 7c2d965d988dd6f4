/** Whether the head of a target's answer can be handed on, and as what. */

import type { Failure } from "../engine/interface.js";
import { type FieldMap, joined } from "./fields.js";

/** The longest head, of a request and of an answer, bytes. */
export const LONGEST_HEAD = 64 * 1024;

/** RFC 9110 §5.5, and what Node.js lets out. */
const UNSENDABLE = /[^\t\x20-\x7e\x80-\xff]/;

/** Whether such an answer comes before the one that counts (RFC 9110 §15.2). */
export function isInterim(status: number): boolean {
  return status === 100 || (status > 101 && status < 200);
}

/**
 * The fields of a final answer, framed once; or which failure such an answer is.
 * `switching`: whether 101 was asked for.
 */
export function received(
  status: number,
  fields: FieldMap,
  switching = false,
): { readonly fields: FieldMap } | { readonly failure: Failure } {
  const known = status >= 200 ? status <= 599 : status === 101 && switching;
  if (!known || !isSendable(fields)) return { failure: "http-protocol-error" };
  const coding = joined(fields["transfer-encoding"]);
  // Any other would be lost on the way, and the body with it.
  if (coding !== undefined && coding.trim().toLowerCase() !== "chunked") {
    return { failure: "http-response-transfer-coding" };
  }
  // RFC 9112 §6.3, RFC 9110 §8.6: such a length says nothing.
  const pointless = coding !== undefined || status === 204 || status === 101;
  if (!pointless || fields["content-length"] === undefined) return { fields };
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
