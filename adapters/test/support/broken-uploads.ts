/**
 * Uploads that break off at their beginning, and how to tell that none looked
 * complete to a target.
 */

import assert from "node:assert/strict";
import { Conversation } from "./client.js";
import type { RawOrigin } from "./raw-origin.js";
import { eventually, sleep } from "./waiting.js";

/** What the client does after the head of a chunked POST. */
const BREAKS: Record<string, (client: Conversation) => unknown> = {
  resets: (client) => client.wire.reset(),
  closes: (client) => client.wire.close(),
  "0x3": (client) => client.wire.write("0x3\r\nabc\r\n0\r\n\r\n"),
  "-3": (client) => client.wire.write("-3\r\nabc\r\n0\r\n\r\n"),
  overflow: (client) => client.wire.write("fffffffffffffffff\r\nabc\r\n0\r\n\r\n"),
};

/** Whether a raw origin got a request that looks complete. */
const WHOLE = /\r\n\r\n(?:[\s\S]*\r\n)?0\r\n\r\n$|content-length: 0\r\n[\s\S]*\r\n\r\n$/i;

/**
 * Breaks uploads to `port` off in every way; a client that is still connected gets 400, or
 * with `mayClose` loses its connection.
 */
export async function breakUploadsOff(port: number, mayClose = false): Promise<void> {
  for (const [how, broken] of Object.entries(BREAKS)) {
    for (const pause of [0, 10, 50]) {
      const client = await Conversation.open(port, {
        method: "POST",
        headers: [["transfer-encoding", "chunked"]],
      });
      await sleep(pause);
      await broken(client);
      if (how === "resets" || how === "closes") await sleep(50);
      else {
        const head = client.head().then(({ status }) => status);
        const status = await (mayClose ? head.catch(() => 400) : head);
        assert.equal(status, 400, `${how} after ${pause} ms`);
      }
      client.wire.close();
    }
  }
}

/** Each request to the origin was broken off, and none looked complete. */
export async function noneIsWhole(origin: RawOrigin): Promise<void> {
  await eventually("all are broken off", () =>
    origin.connections.every((one) => one.socket.closed),
  );
  for (const { text } of origin.connections) assert.doesNotMatch(text, WHOLE);
}
