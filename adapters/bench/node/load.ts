/**
 * A load generator that costs less than what it loads: fixed requests over
 * kept connections, answers told apart by their length.
 *
 *     node load.ts PORT CONNECTIONS MS
 *
 * Prints how many answers came.
 */

import { connect } from "node:net";

const [port = "", connections = "", ms = ""] = process.argv.slice(2);

/** Fields as a browser sends them. */
const REQUEST = Buffer.from(
  [
    "GET /some/path?with=query HTTP/1.1",
    `host: 127.0.0.1:${port}`,
    "user-agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)",
    "accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "accept-language: en-GB,en;q=0.9,de;q=0.8",
    "accept-encoding: gzip, deflate, br",
    "cookie: session=0123456789abcdef; theme=dark",
    "referer: http://127.0.0.1/another/path",
    "",
    "",
  ].join("\r\n"),
);

let answers = 0;

function converse(): void {
  const socket = connect(Number(port), "127.0.0.1");
  socket.setNoDelay(true);
  // All responses have the same length: only the date differs.
  let length: number | undefined;
  let received = 0;
  let head = "";
  socket.on("connect", () => socket.write(REQUEST));
  socket.on("data", (chunk) => {
    received += chunk.byteLength;
    if (length === undefined) {
      head += chunk.toString("latin1");
      const end = head.indexOf("\r\n\r\n");
      if (end < 0) return;
      if (!head.startsWith("HTTP/1.1 200")) throw new Error(`this is no answer: ${head}`);
      length = end + 4 + bodyLength(head);
    }
    if (received < length) return;
    if (received > length) throw new Error("an answer was longer than the first");
    received = 0;
    answers += 1;
    socket.write(REQUEST);
  });
  socket.on("error", (error) => {
    throw error;
  });
}

function bodyLength(head: string): number {
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`this answer has no length: ${head}`);
  return Number(length);
}

for (let count = 0; count < Number(connections); count += 1) converse();
setTimeout(() => {
  process.stdout.write(`${answers}\n`);
  process.exit(0);
}, Number(ms));
