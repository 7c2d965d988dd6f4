/** Streaming bodies: forwarded as they arrive, and broken where they break. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversation, send } from "../support/client.js";
import { valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { Events, uploadArrivesPieceByPiece } from "../support/streaming.js";
import { eventually, sleep } from "../support/waiting.js";
import { proxyTo, startProxy } from "./proxy.js";

test("server_sent_events_arrive_one_by_one", async (t) => {
  const events = new Events();
  const origin = await startOrigin(t, { behaviour: events.behaviour });
  const proxy = await proxyTo(t, origin);
  await events.arriveOneByOne(proxy.port);
});

test("an_upload_arrives_piece_by_piece", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, origin);
  const seen = await uploadArrivesPieceByPiece(proxy.port, origin);
  assert.equal(seen.header("transfer-encoding"), "chunked");
  assert.equal(seen.complete, true);
});

test("a_target_may_respond_before_it_gets_any_of_an_upload", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      // Echoes everything as it arrives.
      answers: (request, response) => {
        response.writeHead(200);
        response.flushHeaders();
        request.pipe(response);
      },
    },
  });
  const proxy = await proxyTo(t, origin);
  const conversation = await Conversation.open(proxy.port, { method: "POST", chunked: true });
  assert.equal((await conversation.head()).status, 200);
  for (const piece of ["one", "two"]) {
    await conversation.chunk(piece);
    assert.equal((await conversation.piece())?.toString(), piece);
  }
  await conversation.endChunks();
  assert.equal((await conversation.finish()).broken, false);
});

test("a_slow_client_makes_the_target_wait", async (t) => {
  let written = 0;
  let over = false;
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        const piece = Buffer.alloc(64 * 1024, "x");
        const more = () => {
          while (written < 256 * 1024 * 1024) {
            written += piece.byteLength;
            if (!response.write(piece)) return;
          }
          response.end();
        };
        response.on("drain", more);
        response.on("close", () => {
          over = true;
        });
        more();
      },
    },
  });
  const proxy = await proxyTo(t, origin);
  const conversation = await Conversation.open(proxy.port);
  await conversation.head();
  // The buffers of the kernel and the streams fill up, and then it stalls.
  const settled = await eventually("the origin stalls", async () => {
    const before = written;
    await sleep(500);
    return written === before && written;
  });
  assert.ok(settled < 64 * 1024 * 1024, `${settled} bytes were taken from the origin`);
  assert.equal(over, false);
  conversation.wire.close();
  await eventually("the origin notices that the client has disconnected", () => over);
});

test("a_slow_target_makes_the_client_wait", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: { answers: (request) => request.pause() },
  });
  const proxy = await proxyTo(t, origin, { FETCH_ATTEMPT_TIMEOUT_MS: "0", FETCH_DEADLINE_MS: "0" });
  const conversation = await Conversation.open(proxy.port, { method: "POST", chunked: true });
  const piece = Buffer.alloc(256 * 1024, "x");
  let taken = 0;
  for (let stuck = false; !stuck && taken < 256; ) {
    const wrote = conversation.chunk(piece).then(() => true);
    stuck = !(await Promise.race([wrote, sleep(1_000).then(() => false)]));
    if (!stuck) taken += 1;
  }
  assert.ok(taken < 128, `${taken} pieces of 256 KiB were taken from the client`);
});

test("a_long_upload_leaves_no_listeners_behind", async (t) => {
  const warnings: string[] = [];
  const warn = ({ name, message }: Error) => warnings.push(`${name}: ${message}`);
  process.on("warning", warn);
  t.after(() => process.off("warning", warn));
  const origin = await startOrigin(t, {
    behaviour: {
      // Slowly, so that the upload waits for it again and again.
      answers: (request, response) => {
        request.on("data", () => {
          request.pause();
          setTimeout(() => request.resume(), 1);
        });
        request.on("end", () => response.end("ok"));
      },
    },
  });
  const proxy = await proxyTo(t, origin);
  const body = Buffer.alloc(24 * 1024 * 1024);
  const answer = await send(proxy.port, { method: "POST", body, chunked: true });
  assert.equal(answer.body.toString(), "ok");
  await sleep(10);
  assert.deepEqual(warnings, []);
});

test("a_client_gone_mid_stream_closes_the_upstream", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        response.writeHead(200);
        response.write("begun");
      },
    },
  });
  const proxy = await proxyTo(t, origin);
  const conversation = await Conversation.open(proxy.port);
  assert.equal((await conversation.piece())?.toString(), "begun");
  conversation.wire.close();
  await eventually("the origin's response is closed", () => origin.seen[0]?.abandoned);
  assert.deepEqual(proxy.said, []);
});

test("a_client_gone_before_the_head_cancels_the_attempt_without_evidence_against_a_target", async (t) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ fault: "silent" }] } });
  const other = await startOrigin(t);
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: `${origin.url},${other.url}`, FETCH_CACHE_ADAPTER: "none" },
  });
  for (let round = 0; round < 3; round += 1) {
    const conversation = await Conversation.open(proxy.port);
    await eventually("the origin has the request", () => origin.seen.length === round + 1);
    conversation.wire.close();
    await eventually("the origin's request is closed", () => origin.seen[round]?.abandoned);
  }
  assert.equal(other.seen.length, 0);
  assert.deepEqual(proxy.said, []);
});

test("an_upstream_dying_mid_body_breaks_the_response", async (t) => {
  for (const headers of [{ "content-length": "100" }, { "transfer-encoding": "chunked" }]) {
    const origin = await startOrigin(t, {
      behaviour: {
        answers: (request, response) => {
          response.writeHead(200, headers);
          response.write("ten bytes.");
          setTimeout(() => request.socket.resetAndDestroy(), 50);
        },
      },
    });
    const proxy = await proxyTo(t, origin);
    const answer = await send(proxy.port);
    assert.equal(answer.body.toString(), "ten bytes.");
    assert.equal(answer.broken, true);
    assert.equal(origin.seen.length, 1);
  }
});

test("a_broken_upload_never_looks_complete", async (t) => {
  for (const headers of [
    [["content-length", "100"]],
    [["transfer-encoding", "chunked"]],
  ] as const) {
    const origin = await startOrigin(t);
    const proxy = await proxyTo(t, origin);
    const conversation = await Conversation.open(proxy.port, { method: "POST", headers });
    await conversation.wire.write(headers[0][0] === "content-length" ? "part" : "4\r\npart\r\n");
    await eventually("the origin has a part", () => origin.seen[0]?.bodyBytes === 4);
    conversation.wire.reset();
    await eventually("the origin's request ends", () => origin.seen[0]?.abandoned);
    assert.equal(origin.seen[0]?.complete, false);
    assert.deepEqual(proxy.said, []);
  }
});

test("a_response_before_the_end_of_an_upload_arrives", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: { answers: [{ status: 413, body: "too much", readBody: false }] },
  });
  const proxy = await proxyTo(t, origin);
  const conversation = await Conversation.open(proxy.port, {
    method: "POST",
    headers: [["content-length", "1000000"]],
  });
  await conversation.wire.write("a beginning");
  const { status, body } = await conversation.finish();
  assert.equal(status, 413);
  assert.equal(body.toString(), "too much");
});

test("trailers_pass_down", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: [
        {
          body: "grpc-ish",
          trailers: [
            ["x-checksum", "abc"],
            ["x-b", "1"],
          ],
        },
      ],
    },
  });
  const proxy = await proxyTo(t, origin);
  const { body, trailers, headers } = await send(proxy.port, { headers: [["te", "trailers"]] });
  assert.equal(body.toString(), "grpc-ish");
  assert.deepEqual(valuesOf(headers, "trailer"), ["x-checksum, x-b"]);
  assert.deepEqual(trailers, [
    ["x-checksum", "abc"],
    ["x-b", "1"],
  ]);
  assert.equal(origin.seen[0]?.header("te"), "trailers");
});

test("trailers_pass_up", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, origin);
  const conversation = await Conversation.open(proxy.port, {
    method: "POST",
    chunked: true,
    // Not announced: RFC 9110 §6.5.1 does not require it.
  });
  await conversation.chunk("a body");
  await conversation.endChunks([["x-checksum", "abc"]]);
  const { status } = await conversation.finish();
  assert.equal(status, 200);
  assert.equal(origin.seen[0]?.body.toString(), "a body");
  assert.deepEqual(origin.seen[0]?.trailers, [["x-checksum", "abc"]]);
});

test("a_body_with_trailers_fails_over_from_a_dead_target", async (t) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: `${dead.url},${origin.url}`, FETCH_CACHE_ADAPTER: "none" },
  });
  const conversation = await Conversation.open(proxy.port, {
    method: "POST",
    chunked: true,
    headers: [["trailer", "x-checksum"]],
  });
  await conversation.chunk("a body");
  await conversation.endChunks([["x-checksum", "abc"]]);
  assert.equal((await conversation.finish()).status, 200);
  assert.deepEqual(origin.seen[0]?.trailers, [["x-checksum", "abc"]]);
});

test("interim_responses_are_dropped", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        response.writeEarlyHints({ link: "</a.css>; rel=preload" });
        response.end("done");
      },
    },
  });
  const proxy = await proxyTo(t, origin);
  const { status, body } = await send(proxy.port);
  assert.equal(status, 200);
  assert.equal(body.toString(), "done");
});

test("a_client_that_expects_100_continue_gets_it_from_node", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, origin);
  const conversation = await Conversation.open(proxy.port, {
    method: "PUT",
    headers: [
      ["expect", "100-continue"],
      ["content-length", "4"],
    ],
  });
  await conversation.wire.write("body");
  const { status } = await conversation.finish();
  assert.equal(status, 200);
  assert.equal(origin.seen[0]?.body.toString(), "body");
  assert.equal(origin.seen[0]?.header("expect"), undefined);
});

test("compressed_bodies_are_not_changed", async (t) => {
  const body = Buffer.from([0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5]);
  const origin = await startOrigin(t, {
    behaviour: { answers: [{ body, headers: [["content-encoding", "gzip"]] }] },
  });
  const proxy = await proxyTo(t, origin);
  const answer = await send(proxy.port, { headers: [["accept-encoding", "gzip"]] });
  assert.deepEqual(answer.body, body);
  assert.deepEqual(valuesOf(answer.headers, "content-encoding"), ["gzip"]);
});

test("responses_without_content_are_framed_as_such", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      // Raw: Node.js refuses to announce trailers where there is no body.
      answers: (request) => {
        const fields = 'etag: "a"\r\ntrailer: x-a\r\nset-cookie: a=1\r\nset-cookie: b=2';
        request.socket.write(`HTTP/1.1 ${request.url?.slice(1)} Hm\r\n${fields}\r\n\r\n`);
      },
    },
  });
  const proxy = await proxyTo(t, origin);
  for (const [method, path, wanted] of [
    ["GET", "/204", 204],
    ["GET", "/304", 304],
    ["HEAD", "/200", 200],
  ] as const) {
    const { status, body, headers } = await send(proxy.port, { method, path });
    assert.equal(status, wanted);
    assert.equal(body.byteLength, 0);
    assert.deepEqual(valuesOf(headers, "set-cookie"), ["a=1", "b=2"]);
  }
});
