/** Unusual responses: which of them reach the client, and as what. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { answering, startRawOrigin } from "../support/raw-origin.js";
import { startProxy } from "./proxy.js";

const CHUNKS = "5\r\nhello\r\n0\r\n\r\n";

/**
 * Sends to a target that responds with these bytes, in each way that requests
 * are sent to targets.
 */
async function asked(t: TestContext, answer: string, env = {}) {
  const origin = await startRawOrigin(t, answering(answer));
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: origin.url, FETCH_CACHE_ADAPTER: "none", ...env },
  });
  return [
    await send(proxy.port),
    await send(proxy.port, { method: "PUT", body: "x", chunked: true }),
  ] as const;
}

const REFUSED: Record<string, [answer: string, error: string]> = {
  a_status_beyond_599: ["HTTP/1.1 600 X\r\ncontent-length: 2\r\n\r\nok", "http_protocol_error"],
  a_status_of_999: ["HTTP/1.1 999 X\r\ncontent-length: 2\r\n\r\nok", "http_protocol_error"],
  a_status_below_100: ["HTTP/1.1 042 X\r\ncontent-length: 2\r\n\r\nok", "http_protocol_error"],
  a_101_that_nobody_asked_for: ["HTTP/1.1 101 X\r\n\r\n", "http_protocol_error"],
  a_switch_that_nobody_asked_for: [
    "HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    "http_protocol_error",
  ],
  a_coding_beside_chunked: [
    `HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n${CHUNKS}`,
    "http_response_transfer_coding",
  ],
  a_first_chunk_that_is_bad: [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n",
    "http_protocol_error",
  ],
  a_head_that_is_too_long: [
    `HTTP/1.1 200 OK\r\nx: ${"a".repeat(70_000)}\r\ncontent-length: 2\r\n\r\nok`,
    "http_response_header_section_size",
  ],
};

for (const [name, [answer, error]] of Object.entries(REFUSED)) {
  test(`${name}_is_a_failed_attempt`, async (t) => {
    for (const { status, headers } of await asked(t, answer)) {
      assert.equal(status, 502);
      assert.match(onlyValue(headers, "proxy-status") ?? "", new RegExp(`error=${error}`));
    }
  });
}

test("a_response_that_cannot_be_passed_on_fails_over", async (t) => {
  const bad = await startRawOrigin(t, answering(REFUSED.a_status_beyond_599?.[0] ?? ""));
  const good = await startOrigin(t);
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: `${bad.url} ${good.url}`, FETCH_CACHE_ADAPTER: "none" },
  });
  assert.equal((await send(proxy.port)).body.toString(), "origin");
});

test("a_length_next_to_chunks_is_removed", async (t) => {
  for (const framing of [
    "content-length: 100\r\ntransfer-encoding: chunked",
    "transfer-encoding: chunked\r\ncontent-length: 100",
  ]) {
    const answer = `HTTP/1.1 200 OK\r\n${framing}\r\n\r\n${CHUNKS}`;
    for (const { status, body, broken, headers } of await asked(t, answer)) {
      assert.deepEqual([status, body.toString(), broken], [200, "hello", false]);
      assert.equal(onlyValue(headers, "content-length"), undefined);
    }
  }
});

test("a_target_with_conflicting_framing_is_healthy_and_gets_posts", async (t) => {
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: 9\r\ntransfer-encoding: chunked\r\n\r\n${CHUNKS}`;
  const origin = await startRawOrigin(t, answering(answer));
  const other = await startOrigin(t, { behaviour: { health: { delay: 300 } } });
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: `${origin.url} ${other.url}` } });
  assert.equal((await send(proxy.port)).body.toString(), "hello");
  for (const chunked of [false, true]) {
    const { body } = await send(proxy.port, { method: "POST", body: "x", chunked });
    assert.equal(body.toString(), "hello");
  }
  const bare = await send(proxy.port, { method: "POST" });
  assert.equal(bare.body.toString(), "hello");
  assert.equal(other.seen.length, 0);
});

test("a_204_has_no_length", async (t) => {
  for (const { status, headers, body } of await asked(
    t,
    "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n",
  )) {
    assert.deepEqual([status, body.byteLength], [204, 0]);
    assert.equal(onlyValue(headers, "content-length"), undefined);
  }
});

test("many_fields_and_long_ones_pass", async (t) => {
  const fields = Array.from({ length: 3000 }, (_, at) => `x-many: ${at}\r\n`).join("");
  const answer = `HTTP/1.1 200 OK\r\n${fields}content-length: 2\r\n\r\nok`;
  for (const { status, headers } of await asked(t, answer)) {
    assert.equal(status, 200);
    assert.equal(valuesOf(headers, "x-many").length, 3000);
  }
  const long = `HTTP/1.1 200 OK\r\nx-long: ${"a".repeat(60_000)}\r\ncontent-length: 2\r\n\r\nok`;
  for (const { headers } of await asked(t, long)) {
    assert.equal(onlyValue(headers, "x-long")?.length, 60_000);
  }
});

test("a_response_before_the_reset_of_an_upload_arrives", async (t) => {
  const origin = await startRawOrigin(t, ({ socket, text }) => {
    if (text.length < 50_000) return;
    socket.removeAllListeners("data");
    socket.pause();
    socket.write("HTTP/1.1 413 Too Large\r\ncontent-length: 2\r\nconnection: close\r\n\r\nno");
    setTimeout(() => socket.resetAndDestroy(), 1);
  });
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: origin.url, FETCH_CACHE_ADAPTER: "none" },
  });
  for (let round = 0; round < 20; round += 1) {
    for (const chunked of [false, true]) {
      const answer = await send(proxy.port, {
        method: "POST",
        body: Buffer.alloc(4 * 1024 * 1024),
        chunked,
      });
      assert.equal(`${answer.status} ${answer.body}`, "413 no", `round ${round}`);
    }
  }
});
