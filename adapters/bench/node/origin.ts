/**
 * An origin that costs next to nothing: the same bytes for every request head.
 * Prints its port.
 */

import { createServer } from "node:net";

const BODY = "x".repeat(1024);

/** Fields as a common application sends them. */
const ANSWER = Buffer.from(
  [
    "HTTP/1.1 200 OK",
    "date: Mon, 23 Nov 2026 00:00:00 GMT",
    "content-type: text/plain; charset=utf-8",
    'etag: "0123456789abcdef"',
    "cache-control: private, max-age=0",
    "set-cookie: session=0123456789abcdef; Path=/; HttpOnly",
    "vary: accept-encoding",
    "x-request-id: 0123456789abcdef",
    `content-length: ${BODY.length}`,
    "connection: keep-alive",
    "",
    BODY,
  ].join("\r\n"),
);

const END = "\r\n\r\n";

const server = createServer((socket) => {
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  let rest = "";
  socket.on("data", (chunk) => {
    rest += chunk.toString("latin1");
    for (let at = rest.indexOf(END); at >= 0; at = rest.indexOf(END)) {
      rest = rest.slice(at + END.length);
      socket.write(ANSWER);
    }
  });
});

server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") process.stdout.write(`${address?.port}\n`);
});
