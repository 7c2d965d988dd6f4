/** The origin of both proxies, in a separate process. It prints its port. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const BODY = Buffer.alloc(2048, "x");

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, {
    "content-type": "application/json",
    "content-length": BODY.byteLength,
    "cache-control": "private, max-age=0",
    etag: '"0123456789abcdef"',
    vary: "accept-encoding",
  });
  response.end(BODY);
});
server.keepAliveTimeout = 0;
server.listen(0, "127.0.0.1", () => process.send?.((server.address() as AddressInfo).port));
