/**
 * A bare proxy on undici's `Pool.dispatch`, as good as such a proxy can be: it
 * streams, with backpressure.
 */

import { createServer } from "node:http";
import { Pool } from "undici";
import { HOP_BY_HOP, requestFields } from "./bare.js";
import { sayPort } from "./port.js";

const pool = new Pool(process.argv[2] ?? "", { headersTimeout: 0, bodyTimeout: 0, allowH2: false });

const server = createServer((request, response) => {
  const { method = "GET", url: path = "/", headers: asked } = request;
  const hasBody = asked["content-length"] !== undefined || asked["transfer-encoding"] !== undefined;
  const headers = requestFields(request);
  let abort: ((reason: Error) => void) | undefined;
  response.once("close", () => {
    if (!response.writableFinished) abort?.(new Error("the client has disconnected"));
  });
  pool.dispatch(
    { method, path, headers, body: hasBody ? request : null },
    {
      onRequestStart(controller) {
        abort = (reason) => controller.abort(reason);
      },
      onResponseStart(controller, status, fields) {
        if (status < 200) return;
        const kept: string[] = [];
        for (const name of Object.keys(fields)) {
          if (HOP_BY_HOP.has(name)) continue;
          const value = fields[name] ?? "";
          for (const one of Array.isArray(value) ? value : [value]) kept.push(name, one);
        }
        response.writeHead(status, kept);
        response.on("drain", () => controller.resume());
      },
      onResponseData(controller, chunk) {
        if (!response.write(chunk)) controller.pause();
      },
      onResponseEnd() {
        response.end();
      },
      onResponseError() {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end();
      },
    },
  );
});

sayPort(server);
