/** A bare proxy on the global `fetch`. */

import { createServer } from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { HOP_BY_HOP, requestFields } from "./bare.js";
import { sayPort } from "./port.js";

const target = process.argv[2] ?? "";

const server = createServer(async (request, response) => {
  const headers = new Headers();
  const fields = requestFields(request);
  for (let at = 0; at + 1 < fields.length; at += 2) {
    headers.append(fields[at] ?? "", fields[at + 1] ?? "");
  }
  try {
    const answer = await fetch(target + request.url, {
      method: request.method ?? "GET",
      headers,
      redirect: "manual",
    });
    const kept: string[] = [];
    for (const [name, value] of answer.headers) if (!HOP_BY_HOP.has(name)) kept.push(name, value);
    response.writeHead(answer.status, kept);
    if (answer.body === null) response.end();
    else await pipeline(Readable.fromWeb(answer.body as never), response);
  } catch {
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end();
  }
});

sayPort(server);
