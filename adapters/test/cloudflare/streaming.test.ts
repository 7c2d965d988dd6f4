/** Streaming bodies: in constant memory, forwarded as they arrive, and broken where they break. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { Events, firstPieceAt, pour, uploadArrivesPieceByPiece } from "../support/streaming.js";
import { eventually, sleep } from "../support/waiting.js";
import { startProxy, startWorkerd } from "./proxy.js";

const MIB = 1024 * 1024;
const LARGE = 256 * MIB;

/** How much more memory a body of 256 MiB may take, MiB. */
const FLAT = 64;

test("a_download_of_256_mib_takes_little_memory", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (request, response) => {
        const bytes = request.url === "/large" ? LARGE : MIB;
        response.writeHead(200, { "content-length": bytes });
        pour(response, bytes);
      },
    },
  });
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  await send(proxy.port);
  const before = proxy.peak;
  const conversation = await Conversation.open(proxy.port, { path: "/large" });
  let received = 0;
  for (let piece = await conversation.piece(); piece; piece = await conversation.piece()) {
    received += piece.byteLength;
  }
  assert.equal(received, LARGE);
  assert.equal((await conversation.finish()).broken, false);
  assert.ok(proxy.peak - before < FLAT, `it took ${proxy.peak - before} MiB`);
});

test("an_upload_of_256_mib_takes_little_memory", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  await send(proxy.port, { method: "POST", body: Buffer.alloc(MIB, "x") });
  const before = proxy.peak;
  const conversation = await Conversation.open(proxy.port, {
    method: "POST",
    headers: [["content-length", String(LARGE)]],
  });
  const piece = Buffer.alloc(256 * 1024, "x");
  for (let sent = 0; sent < LARGE; sent += piece.byteLength) {
    assert.ok(await conversation.wire.write(piece));
  }
  assert.equal((await conversation.finish()).status, 200);
  assert.equal(origin.seen[1]?.bodyBytes, LARGE);
  assert.ok(proxy.peak - before < FLAT, `it took ${proxy.peak - before} MiB`);
});

test("server_sent_events_arrive_one_by_one", async (t) => {
  const events = new Events();
  const origin = await startOrigin(t, { behaviour: events.behaviour });
  // A rebuilt response streams as well.
  const settings = { FETCH_TARGETS: origin.url, FETCH_EXPLAIN: "true" };
  const proxies = [
    await startWorkerd(t, { FETCH_TARGETS: origin.url }),
    await startWorkerd(t, settings),
    await startProxy(t, settings),
  ];
  for (const proxy of proxies) await events.arriveOneByOne(proxy.port);
});

test("an_upload_arrives_piece_by_piece", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  await uploadArrivesPieceByPiece(proxy.port, origin);
});

test("an_upload_that_breaks_off_is_broken_at_the_target", async (t) => {
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b" });
  const proxy = await startWorkerd(t, {
    FETCH_TARGETS: `${a.url},${b.url}`,
    FETCH_CACHE_ADAPTER: "none",
    FETCH_RETRY_METHODS: "GET,PUT",
  });
  const conversation = await Conversation.open(proxy.port, { method: "PUT", chunked: true });
  await conversation.chunk("first");
  const seen = await firstPieceAt(a);
  conversation.wire.reset();
  await eventually("the origin notices it", () => seen.abandoned);
  assert.equal(seen.complete, false);
  // It is not the target's fault, and no one waits for a response from the other one.
  await sleep(300);
  assert.equal(b.seen.length, 0);
});

test("a_client_that_disconnects_while_waiting_ends_the_attempt_without_evidence_against_the_target", async (t) => {
  // The request starts a round, which continues after it: without one the runtime would end it with
  // its client.
  const slow = await startOrigin(t, {
    name: "slow",
    behaviour: { answers: [{ fault: "silent" }] },
  });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 1_000 } } });
  const proxy = await startProxy(t, { FETCH_TARGETS: `${slow.url},${b.url}` });
  const conversation = await Conversation.open(proxy.port);
  const seen = await eventually("the target has the request", () => slow.seen[0]);
  assert.equal(b.probes.length, 1);
  conversation.wire.reset();
  await eventually("the target notices that the client has disconnected", () => seen.abandoned);
  await slow.behave({});
  assert.equal((await send(proxy.port)).body.toString(), "slow");
  assert.equal(b.seen.length, 0);
});

test("a_client_that_disconnects_mid_stream_ends_the_stream", async (t) => {
  let over = false;
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        response.write("one");
        const timer = setInterval(() => response.write("more"), 20);
        response.on("close", () => {
          over = true;
          clearInterval(timer);
        });
      },
    },
  });
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  const conversation = await Conversation.open(proxy.port);
  await conversation.piece();
  conversation.wire.reset();
  await eventually("the origin notices it", () => over);
});

test("a_response_that_breaks_off_is_broken_for_the_client", async (t) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ fault: "short" }] } });
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  const answer = await send(proxy.port);
  assert.equal(answer.status, 200);
  assert.equal(answer.broken, true);
});
