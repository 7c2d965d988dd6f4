/** How a response is written to the wire. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Answer, Fault } from "./behaviour.js";
import { valuesOf } from "./fields.js";
import type { Seen } from "./seen.js";
import { sleep } from "./waiting.js";

/** Between a part of a response and the reset after it, ms: the part should arrive. */
const BEFORE_RESET = 50;

/** Answers one request. `name` is the body where the response has none. */
export async function give(
  answer: Answer,
  name: string,
  request: IncomingMessage,
  response: ServerResponse,
  seen: Seen,
): Promise<void> {
  if (answer.fault !== undefined) return fail(answer.fault, request.socket);
  if (answer.readBody !== false) {
    await seen.drain(request);
    if (!seen.complete) return;
  }
  if (answer.delay) await sleep(answer.delay);
  const status = answer.status ?? 200;
  const withoutContent = status === 204 || status === 304;
  const body = Buffer.from(answer.body ?? (withoutContent ? "" : name));
  const headers = [...(answer.headers ?? [])];
  const trailers = answer.trailers ?? [];
  const framed =
    valuesOf(headers, "content-length").length + valuesOf(headers, "transfer-encoding").length > 0;
  if (trailers.length > 0) {
    headers.push(["trailer", trailers.map(([field]) => field).join(", ")]);
  } else if (!framed && !withoutContent) {
    // For HEAD, too, where Node.js would omit it.
    headers.push(["content-length", String(body.byteLength)]);
  }
  response.writeHead(status, headers.flat());
  response.addTrailers(trailers.map(([field, value]): [string, string] => [field, value]));
  response.end(body);
}

async function fail(fault: Fault, socket: Socket): Promise<void> {
  switch (fault) {
    case "silent":
      return;
    case "garbage":
      socket.end("\u0000\u0001 this is no HTTP\r\n\r\n");
      return;
    case "short":
      socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nten bytes.");
      await sleep(BEFORE_RESET);
      socket.resetAndDestroy();
      return;
    case "reset":
      socket.resetAndDestroy();
  }
}
