/** Calls the hooks, with requests and responses in the form that they have on Node.js. */

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type HookedRequest, type Hooks, keepFraming, ownResponse } from "../hooks.js";
import { isEarly } from "./client.js";
import { type Origins, wholeUrl } from "./inbound.js";
import { isHttp2, type Response as NodeResponse } from "./relay.js";

/** What `onRequest` made of a request. */
export type Admitted =
  /** It is routed. */
  | { readonly from: Origins; readonly request: HookedRequest }
  /** The client gets this. */
  | { readonly response: Response };

/** Calls `onRequest`. */
export async function admit({ onRequest }: Hooks, given: Origins): Promise<Admitted> {
  const whole = wholeUrl(given.url);
  const from: Origins =
    whole === undefined
      ? given
      : { ...given, url: whole.path, client: { ...given.client, host: whole.authority } };
  const headers = new Headers();
  for (let at = 0; at + 1 < from.rawFields.length; at += 2) {
    const name = from.rawFields[at] as string;
    // HTTP/2 has these in place of a request line.
    if (!name.startsWith(":")) headers.append(name, from.rawFields[at + 1] as string);
  }
  const before = new Headers(headers);
  const { method, url, client } = from;
  const request: HookedRequest = { method, path: url, headers, address: client.address };
  const response = ownResponse(await onRequest?.(request));
  if (response !== undefined) return { response };
  keepFraming(headers, before);
  const fields = [...headers];
  // As they came, unless the hook has changed them.
  if (String(fields) === String([...before]))
    return { from: { ...from, url: request.path }, request };
  const changed = { rawFields: fields.flat(), fields: Object.fromEntries(fields) };
  return { from: { ...from, ...changed, url: request.path }, request };
}

/** Calls `onResponse`; the fields as it left them, names and values alternating. */
export async function changedFields(
  { onResponse }: Hooks,
  { status, target }: { readonly status: number; readonly target?: string | undefined },
  fields: readonly string[],
  request: HookedRequest,
): Promise<string[]> {
  const headers = headersOf(fields);
  const before = new Headers(headers);
  await onResponse?.({ status, headers, target }, request);
  keepFraming(headers, before);
  return [...headers].flat();
}

/** `fields`: names and values alternating. */
export function headersOf(fields: readonly string[]): Headers {
  const headers = new Headers();
  for (let at = 0; at + 1 < fields.length; at += 2) {
    headers.append(fields[at] as string, fields[at + 1] as string);
  }
  return headers;
}

/** Sends what `onRequest` has returned. */
export async function sendResponse(given: Response, response: NodeResponse): Promise<void> {
  const { method } = response.req;
  if (!isHttp2(response) && isEarly(response.req)) response.setHeader("connection", "close");
  for (const [name, value] of given.headers) response.appendHeader(name, value);
  response.statusCode = given.status;
  if (given.body === null || method === "HEAD") {
    response.end();
    return;
  }
  // If either side breaks off, the other one ends.
  await pipeline(Readable.fromWeb(given.body as never), response).catch(() => {});
}
