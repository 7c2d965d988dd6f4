/** Requests that end early, are too large, or are malformed: none reaches a target changed. */

import assert from "node:assert/strict";
import { type ClientHttp2Session, connect, createServer as createHttp2Server } from "node:http2";
import { type TestContext, test } from "node:test";
import type { ClientLimits } from "../../src/node/client-limits.js";
import { createNodeHandler } from "../../src/node/index.js";
import { breakUploadsOff, noneIsWhole } from "../support/broken-uploads.js";
import { Conversation, send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { listenAnywhere } from "../support/port.js";
import { answering, startRawOrigin } from "../support/raw-origin.js";
import { sleep } from "../support/waiting.js";
import { proxyTo, startProxy, startServer } from "./proxy.js";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

test("a_body_that_breaks_off_at_its_beginning_never_looks_complete", async (t) => {
  const origin = await startRawOrigin(t, () => {});
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: origin.url } });
  await breakUploadsOff(proxy.port);
  await noneIsWhole(origin);
});

/** A proxy that speaks HTTP/2 without TLS, and a session with it. */
async function overHttp2(t: TestContext, target: string): Promise<ClientHttp2Session> {
  const handler = createNodeHandler({ env: { FETCH_TARGETS: target }, log: () => {} });
  const server = createHttp2Server(handler);
  const port = await listenAnywhere(server as never);
  const session = connect(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  t.after(async () => {
    session.destroy();
    server.close();
    await handler.close();
  });
  return session;
}

test("an_http2_stream_that_is_reset_never_looks_complete", async (t) => {
  const origin = await startRawOrigin(t, () => {});
  const session = await overHttp2(t, origin.url);
  // A client of Node.js ends what it resets at once, so a chunk needs a pause
  // before.
  for (const [piece, pauses] of [
    [undefined, [0, 10, 50]],
    ["abc", [20, 50]],
  ] as const) {
    for (const pause of pauses) {
      const stream = session.request({ ":method": "POST", ":path": "/" });
      stream.on("error", () => {});
      if (piece !== undefined) stream.write(piece);
      await sleep(pause);
      // CANCEL, RFC 9113 §7.
      stream.close(8);
      await sleep(50);
    }
  }
  assert.ok(origin.connections.length > 0);
  await noneIsWhole(origin);
});

test("cookie_crumbs_of_http2_are_one_field", async (t) => {
  const origin = await startOrigin(t);
  const session = await overHttp2(t, origin.url);
  const stream = session.request({ ":path": "/", cookie: ["a=1", "b=2", "c=3"] as never });
  await new Promise((resolve) => stream.on("response", resolve));
  stream.close();
  assert.deepEqual(valuesOf(origin.seen[0]?.headers ?? [], "cookie"), ["a=1; b=2; c=3"]);
});

test("a_get_over_http2_keeps_its_body", async (t) => {
  const origin = await startOrigin(t);
  const session = await overHttp2(t, origin.url);
  const stream = session.request({ ":path": "/_search" }, { endStream: false });
  stream.end("the query");
  await new Promise((resolve) => stream.on("response", resolve));
  assert.equal(origin.seen[0]?.body.toString(), "the query");
});

test("transfer_codings_other_than_chunked_get_501", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, origin);
  for (const coding of ["gzip, chunked", "identity, chunked"]) {
    const client = await Conversation.open(proxy.port, {
      method: "POST",
      headers: [["transfer-encoding", coding]],
    });
    await client.endChunks();
    const { status, headers } = await client.finish();
    assert.equal(status, 501, coding);
    assert.match(onlyValue(headers, "proxy-status") ?? "", /error=http_request_error/);
  }
  assert.equal(origin.seen.length, 0);
});

test("a_request_without_a_body_gets_none", async (t) => {
  const heads: string[] = [];
  const origin = await startRawOrigin(
    t,
    answering((head) => {
      heads.push(head);
      return OK;
    }),
  );
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: origin.url } });
  for (const method of ["OPTIONS", "DELETE", "POST", "PUT", "PATCH", "GET"]) {
    assert.equal((await send(proxy.port, { method })).status, 200);
    const head = heads.pop() ?? "";
    assert.doesNotMatch(head, /transfer-encoding/i, method);
    assert.equal(/content-length: 0/i.test(head), /^P/.test(method), head);
  }
});

test("fields_that_node_would_drop_are_refused_as_a_whole", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, origin);
  const fields = Array.from({ length: 1_200 }, (_, at) => [`x-${at}`, "1"] as const);
  // Newer versions of Node.js report it themselves.
  assert.equal((await send(proxy.port, { headers: fields })).status, 431);
  assert.equal(origin.seen.length, 0);
});

/** The port of the command's server. */
async function serverFor(t: TestContext, target: string, limits: Partial<ClientLimits> = {}) {
  const env = { FETCH_TARGETS: target };
  const server = await startServer(t, { env, log: () => {} }, limits);
  return Number(new URL(server.url).port);
}

test("the_server_accepts_heads_of_64_kib_and_as_many_fields_as_it_may", async (t) => {
  const heads: string[] = [];
  const origin = await startRawOrigin(
    t,
    answering((head) => {
      heads.push(head);
      return OK;
    }),
  );
  const port = await serverFor(t, origin.url, { maxHeaderFields: 3_010 });
  const fields = Array.from({ length: 3_000 }, (_, at) => [`x-${at}`, "1"] as const);
  assert.equal((await send(port, { headers: fields })).status, 200);
  assert.equal(heads[0]?.match(/^x-\d+: 1$/gm)?.length, 3_000);
  assert.match(heads[0] ?? "", /^via: .*function-fetch/m);
  const long = await send(port, { headers: [["x-fill", "a".repeat(60_000)]] });
  assert.equal(long.status, 200);
  const longer = await send(port, { headers: [["x-fill", "a".repeat(70_000)]] });
  assert.equal(longer.status, 431);
  assert.equal(heads.length, 2);
});

test("an_idle_client_is_kept_for_the_configured_time", async (t) => {
  const origin = await startOrigin(t);
  const kept = await Conversation.open(await serverFor(t, origin.url));
  assert.match(onlyValue((await kept.head()).headers, "keep-alive") ?? "", /timeout=75/);
  kept.wire.close();
  const port = await serverFor(t, origin.url, { idleTimeout: 1_500 });
  const client = await Conversation.open(port);
  await client.piece();
  const before = performance.now();
  while ((await client.wire.read()) !== undefined);
  assert.ok(performance.now() - before > 1_000);
});

test("a_response_before_the_end_of_a_body_announces_the_close", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: { answers: [{ status: 413, body: "no", readBody: false }] },
  });
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  for (const [target, status] of [
    [origin, 413],
    [dead, 502],
  ] as const) {
    const proxy = await proxyTo(t, target, { FETCH_CACHE_ADAPTER: "none" });
    const client = await Conversation.open(proxy.port, {
      method: "POST",
      headers: [["content-length", "30000000"]],
    });
    await client.wire.write("x");
    const head = await client.head();
    assert.equal(head.status, status);
    assert.equal(onlyValue(head.headers, "connection"), "close");
    // What is still sent does not destroy the response.
    for (let piece = 0; piece < 20; piece += 1) await client.wire.write("x".repeat(16_384));
    const { body, broken } = await client.finish();
    assert.equal(broken, false);
    assert.ok(body.byteLength > 0);
  }
});
