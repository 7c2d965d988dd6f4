/** What every proxy has to do, and nothing else: fields without the hop-by-hop ones. */

import type { IncomingMessage } from "node:http";

export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
]);

/** For the target: names and values alternating. With the client's address, as targets expect. */
export function requestFields(request: IncomingMessage): string[] {
  const { rawHeaders: raw } = request;
  const fields: string[] = [];
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at] ?? "";
    const known = name.toLowerCase();
    if (known === "host" || HOP_BY_HOP.has(known)) continue;
    fields.push(name, raw[at + 1] ?? "");
  }
  fields.push("x-forwarded-for", request.socket.remoteAddress ?? "");
  fields.push("x-forwarded-host", request.headers.host ?? "");
  fields.push("x-forwarded-proto", "http");
  fields.push("via", "1.1 bare");
  return fields;
}
