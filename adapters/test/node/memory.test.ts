/** Large bodies in no more memory than small ones. */

import assert from "node:assert/strict";
import type { IncomingMessage, ServerResponse } from "node:http";
import { type TestContext, test } from "node:test";
import { Conversation, send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { pour } from "../support/streaming.js";
import { Command } from "./proxy.js";

const MIB = 1024 * 1024;
const SIZE = 256 * MIB;
const PIECE = Buffer.alloc(MIB, "x");

/** How much a process may grow: buffers in flight, and garbage not yet collected, MiB. */
const GROWTH = 100;

/** Counts what arrives, and reports how much it was. */
function count(request: IncomingMessage, response: ServerResponse): void {
  let bytes = 0;
  request.on("data", (chunk: Buffer) => {
    bytes += chunk.byteLength;
  });
  request.on("end", () => response.end(String(bytes)));
}

async function startBoth(t: TestContext) {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (request, response) => {
        if (request.url === "/down") pour(response, SIZE);
        else if (request.url === "/up") count(request, response);
        else response.end("small");
      },
    },
  });
  const command = Command.start(t, { FETCH_TARGETS: origin.url });
  const port = await command.port();
  for (let round = 0; round < 20; round += 1) await send(port, { method: "POST", body: "warm" });
  return { command, port, before: command.peak };
}

test("a_download_of_256_mib_takes_flat_memory", async (t) => {
  const { command, port, before } = await startBoth(t);
  const conversation = await Conversation.open(port, { path: "/down" });
  let bytes = 0;
  for (let piece = await conversation.piece(); piece; piece = await conversation.piece()) {
    bytes += piece.byteLength;
  }
  assert.equal(bytes, SIZE);
  assert.ok(command.peak - before < GROWTH, `from ${before} to ${command.peak} MiB`);
});

for (const chunked of [false, true]) {
  test(`an_upload_of_256_mib_${chunked ? "in_chunks_" : ""}takes_flat_memory`, async (t) => {
    const { command, port, before } = await startBoth(t);
    const length = ["content-length", String(SIZE)] as const;
    const conversation = await Conversation.open(port, {
      method: "PUT",
      path: "/up",
      chunked,
      headers: chunked ? [] : [length],
    });
    for (let sent = 0; sent < SIZE; sent += PIECE.byteLength) {
      const taken = chunked ? conversation.chunk(PIECE) : conversation.wire.write(PIECE);
      assert.ok(await taken, "the proxy takes all");
    }
    if (chunked) await conversation.endChunks();
    const { status, body } = await conversation.finish();
    assert.deepEqual([status, body.toString()], [200, String(SIZE)]);
    assert.ok(command.peak - before < GROWTH, `from ${before} to ${command.peak} MiB`);
  });
}
