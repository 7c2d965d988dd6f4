/** The host and port that a client asks for. */

/** A name or an address, and perhaps a port: no user, no path (RFC 9110 §7.2, RFC 3986 §3.2). */
const HOST = /^(?:\[[\da-f:.]+(?:%25[\w.~-]+)?\]|[\w.~!$&'()*+,;=%-]*)(?::(\d{0,5}))?$/i;

const MAX_PORT = 65_535;

/** Whether a `Host` or an authority is one. It may be empty. */
export function isHost(text: string): boolean {
  const match = HOST.exec(text);
  return match !== null && Number(match[1] ?? 0) <= MAX_PORT;
}
