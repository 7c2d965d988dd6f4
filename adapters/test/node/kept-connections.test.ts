/** Kept-alive connections that close at a bad moment. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { Conversation, send } from "../support/client.js";
import { answering, type RawOrigin, startRawOrigin } from "../support/raw-origin.js";
import { eventually, sleep } from "../support/waiting.js";
import { type RunningProxy, startProxy } from "./proxy.js";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

interface Seen {
  readonly line: string;
  readonly connection: number;
}

/**
 * An origin that answers the first request of its first connections, and closes
 * at the next one.
 */
async function fickle(t: TestContext, closing: number) {
  const seen: Seen[] = [];
  const origin = await startRawOrigin(t, (connection) => {
    if (!connection.text.includes("\r\n\r\n")) return;
    const line = connection.text.slice(0, connection.text.indexOf(" HTTP/1.1"));
    connection.text = "";
    const first = !seen.some((one) => one.connection === connection.index);
    seen.push({ line, connection: connection.index });
    if (!first && connection.index < closing) connection.socket.destroy();
    else connection.socket.write(OK);
  });
  return { origin, seen };
}

async function proxyTo(t: TestContext, origin: RawOrigin): Promise<RunningProxy> {
  const env = { FETCH_TARGETS: origin.url, FETCH_CACHE_ADAPTER: "none" };
  return startProxy(t, { env });
}

for (const method of ["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]) {
  test(`a_${method.toLowerCase()}_that_meets_a_closing_connection_is_sent_once_more`, async (t) => {
    const { origin, seen } = await fickle(t, 9);
    const proxy = await proxyTo(t, origin);
    assert.equal((await send(proxy.port)).status, 200);
    const body = method === "PUT" ? { body: "x" } : {};
    assert.equal((await send(proxy.port, { method, path: "/again", ...body })).status, 200);
    const again = seen.filter(({ line }) => line.endsWith("/again"));
    assert.deepEqual(
      again.map(({ connection }) => connection),
      [0, 1],
    );
  });
}

test("a_put_of_unknown_length_is_sent_again_once", async (t) => {
  const { origin, seen } = await fickle(t, 9);
  const proxy = await proxyTo(t, origin);
  const put = { method: "PUT", body: "x", chunked: true };
  assert.equal((await send(proxy.port, put)).status, 200);
  assert.equal((await send(proxy.port, put)).status, 200);
  assert.equal(seen.length, 3);
});

test("a_post_that_was_sent_is_not_sent_again", async (t) => {
  for (const chunked of [false, true]) {
    const { origin, seen } = await fickle(t, 9);
    const proxy = await proxyTo(t, origin);
    const post = { method: "POST", body: "x", chunked };
    assert.equal((await send(proxy.port, post)).status, 200);
    assert.equal((await send(proxy.port, post)).status, 502);
    assert.equal(seen.length, 2);
  }
});

test("a_request_is_sent_again_only_once", async (t) => {
  const seen: string[] = [];
  let answers = 1;
  const origin = await startRawOrigin(t, (connection) => {
    seen.push(connection.text);
    connection.text = "";
    answers -= 1;
    if (answers < 0) connection.socket.destroy();
    else connection.socket.write(OK);
  });
  const proxy = await proxyTo(t, origin);
  assert.equal((await send(proxy.port)).status, 200);
  assert.equal((await send(proxy.port)).status, 502);
  assert.equal(seen.length, 3);
});

test("a_post_whose_body_is_still_awaited_is_sent_on_a_new_connection", async (t) => {
  const origin = await startRawOrigin(t, answering(OK));
  const proxy = await proxyTo(t, origin);
  assert.equal((await send(proxy.port)).status, 200);
  // Nothing of it is sent before its body begins.
  const slow = await Conversation.open(proxy.port, {
    method: "POST",
    headers: [["content-length", "1"]],
  });
  await sleep(100);
  origin.connections[0]?.socket.destroy();
  await sleep(100);
  await slow.wire.write("x");
  assert.equal((await slow.finish()).status, 200);
  assert.equal(origin.connections.length, 2);
});

test("a_target_says_how_long_it_keeps_a_connection", async (t) => {
  const kept = (said: string) =>
    `HTTP/1.1 200 OK\r\nconnection: keep-alive\r\nkeep-alive: ${said}\r\ncontent-length: 2\r\n\r\nok`;
  for (const chunked of [false, true]) {
    const request = { method: "PUT", body: "x", chunked };
    // A second less than it says: one that says one second is not kept.
    const short = await startRawOrigin(t, answering(kept("timeout=1")));
    const first = await proxyTo(t, short);
    for (let round = 0; round < 2; round += 1) await send(first.port, request);
    assert.equal(short.connections.length, 2);

    const longer = await startRawOrigin(t, answering(kept("max=9, timeout=2")));
    const second = await proxyTo(t, longer);
    for (let round = 0; round < 2; round += 1) await send(second.port, request);
    assert.equal(longer.connections.length, 1);
    const closed = () => longer.connections[0]?.socket.closed === true;
    const before = performance.now();
    await eventually("the proxy closes it", closed, 4_000);
    assert.ok(performance.now() - before > 500);
  }
});

test("an_idle_connection_is_closed_before_common_servers_close_it", async (t) => {
  const origin = await startRawOrigin(t, answering(OK));
  const proxy = await proxyTo(t, origin);
  await send(proxy.port);
  await send(proxy.port, { method: "PUT", body: "x", chunked: true });
  const before = performance.now();
  const closed = () => origin.connections.every(({ socket }) => socket.closed);
  await eventually("both are closed", closed, 4_900);
  assert.ok(performance.now() - before > 2_500);
  assert.equal(origin.connections.length, 2);
});
