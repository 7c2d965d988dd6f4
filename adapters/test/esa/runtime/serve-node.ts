/** HTTP in front of the routine, in Node.js. */

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import type { Serve } from "./serving.js";

/** WHATWG Fetch: no `Request` can have these, or an invalid URL. */
const FORBIDDEN = ["CONNECT", "TRACE", "TRACK"];

export function serveNode(serve: Serve): Promise<number> {
  const server = createServer((request, response) => {
    answer(serve, request, response).catch((error: unknown) => {
      console.log(`the runtime failed: ${error instanceof Error ? error.stack : error}`);
      response.destroy();
    });
  });
  server.requestTimeout = 0;
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => resolve((server.address() as AddressInfo).port));
  });
}

async function answer(
  serve: Serve,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  if (FORBIDDEN.includes(incoming.method ?? "") || incoming.url === "*") {
    outgoing.writeHead(501).end();
    return;
  }
  const left = new AbortController();
  outgoing.once("close", () => {
    if (!outgoing.writableFinished) left.abort();
  });
  const request = requestOf(incoming, left.signal);
  const { response, invocation } = await serve(request, incoming.socket.remoteAddress ?? "");
  const { status, statusText, body } = response;
  const fields: string[] = [];
  for (const [name, value] of response.headers) fields.push(name, value);
  outgoing.writeHead(status, statusText, fields);
  if (body === null) outgoing.end();
  else await pass(body, outgoing);
  invocation.end();
}

async function pass(body: ReadableStream<Uint8Array>, outgoing: ServerResponse): Promise<void> {
  outgoing.flushHeaders();
  const reader = body.getReader();
  const closed = new Promise<"closed">((resolve) =>
    outgoing.once("close", () => resolve("closed")),
  );
  for (;;) {
    const read = reader.read();
    read.catch(() => {});
    const next = await Promise.race([read, closed]).catch(() => "broken" as const);
    if (next === "closed") return void reader.cancel().catch(() => {});
    if (next === "broken") return void outgoing.destroy();
    if (next.done) return void outgoing.end();
    if (!outgoing.write(next.value)) {
      const drained = new Promise((resolve) => outgoing.once("drain", resolve));
      await Promise.race([drained, closed]);
    }
  }
}

function requestOf(incoming: IncomingMessage, signal: AbortSignal): Request {
  const { method = "GET", headers: given } = incoming;
  const headers = new Headers();
  for (let at = 0; at + 1 < incoming.rawHeaders.length; at += 2) {
    headers.append(incoming.rawHeaders[at] ?? "", incoming.rawHeaders[at + 1] ?? "");
  }
  const hasBody =
    method !== "GET" &&
    method !== "HEAD" &&
    (given["transfer-encoding"] !== undefined || given["content-length"] !== undefined);
  const body = hasBody ? (Readable.toWeb(incoming) as ReadableStream<Uint8Array>) : null;
  const path = incoming.url ?? "/";
  const url = path.startsWith("/") ? `http://${given.host ?? "localhost"}${path}` : path;
  const init: RequestInit & { duplex: "half" } = { method, headers, body, signal, duplex: "half" };
  return new Request(url, init);
}
