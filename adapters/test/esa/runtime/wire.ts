/** One HTTP/1.1 exchange with a target, up to the head of its response. */

import { request as ask, type IncomingMessage } from "node:http";
import { Readable } from "node:stream";
import type { Options } from "./fetch.js";

export interface Head {
  readonly status: number;
  readonly method: string;
  readonly incoming: IncomingMessage;
}

export function exchange(
  url: URL,
  port: number,
  method: string,
  headers: Headers,
  { body, signal }: Options,
): Promise<Head> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const fields: string[] = ["host", url.host];
    for (const [name, value] of headers) fields.push(name, value);
    if (body && !headers.has("content-length")) fields.push("transfer-encoding", "chunked");
    // WHATWG Fetch, section 4.6; by default Node.js would send an empty chunked body.
    if (!body && !headers.has("content-length") && /^P/.test(method)) {
      fields.push("content-length", "0");
    }
    const outgoing = ask({
      host: "127.0.0.1",
      port,
      method,
      // An empty query counts too, which `search` does not show.
      path: url.href.slice(url.origin.length).replace(/#.*$/, ""),
      headers: fields as unknown as Record<string, string>,
      // Each exchange on a separate connection: when one breaks, no other does.
      agent: false,
    });
    const abort = () => outgoing.destroy(new Error("aborted"));
    signal?.addEventListener("abort", abort, { once: true });
    outgoing.once("close", () => signal?.removeEventListener("abort", abort));
    outgoing.once("response", (incoming) => {
      // A body that breaks off is for its reader to handle.
      incoming.on("error", () => {});
      resolve({ status: incoming.statusCode ?? 0, method, incoming });
    });
    outgoing.on("error", reject);
    if (!body) outgoing.end();
    // Nothing is read from it before it has a reader.
    else outgoing.once("socket", (socket) => socket.once("connect", () => upload(body, outgoing)));
  });
}

function upload(body: ReadableStream<Uint8Array>, outgoing: NodeJS.WritableStream): void {
  const readable = Readable.fromWeb(body as never);
  readable.on("error", () => {
    (outgoing as Readable & NodeJS.WritableStream).destroy(new Error("the body broke off"));
  });
  outgoing.on("error", () => readable.destroy());
  readable.pipe(outgoing);
}
