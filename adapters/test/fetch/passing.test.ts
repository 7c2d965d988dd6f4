/** What passes through the runtime's `fetch`, and how. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { brotliCompressSync, gzipSync, zstdCompressSync } from "node:zlib";
import { Conversation, send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import {
  disconnectingCancels,
  ENDLESS,
  Events,
  uploadArrivesPieceByPiece,
} from "../support/streaming.js";
import { inEach, proxyTo } from "./scene.js";

inEach("a_request_and_its_response_pass", async (t, runtime) => {
  const headers = [
    ["x-one", "1"],
    ["set-cookie", "a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT"],
    ["set-cookie", "b=2"],
    ["proxy-connection", "close"],
  ] as const;
  const origin = await startOrigin(t, {
    behaviour: { answers: [{ status: 201, headers, body: "made" }] },
  });
  const proxy = await proxyTo(t, runtime, [origin]);
  const answer = await send(proxy.port, {
    method: "PUT",
    path: "/a%2Fb//c?d=e%20f",
    headers: [
      ["x-two", "2"],
      ["x-forwarded-for", "203.0.113.7"],
      ["connection", "x-mine"],
      ["x-mine", "gone"],
    ],
    body: "hello",
  });
  assert.deepEqual([answer.status, answer.body.toString()], [201, "made"]);
  assert.equal(onlyValue(answer.headers, "x-one"), "1");
  assert.equal(valuesOf(answer.headers, "set-cookie").length, 2);
  assert.deepEqual(valuesOf(answer.headers, "proxy-connection"), []);
  const [seen] = origin.seen;
  assert.deepEqual([seen?.method, seen?.path], ["PUT", "/a%2Fb//c?d=e%20f"]);
  assert.equal(seen?.body.toString(), "hello");
  const fields = seen?.headers ?? [];
  assert.equal(onlyValue(fields, "content-length"), "5");
  assert.deepEqual(valuesOf(fields, "transfer-encoding"), []);
  assert.equal(onlyValue(fields, "x-two"), "2");
  assert.equal(onlyValue(fields, "x-forwarded-for"), "127.0.0.1");
  assert.equal(onlyValue(fields, "x-forwarded-host"), `127.0.0.1:${proxy.port}`);
  assert.match(onlyValue(fields, "via") ?? "", /function-fetch$/);
  assert.deepEqual(valuesOf(fields, "x-mine"), []);
  assert.deepEqual(proxy.said, []);
});

inEach("server_sent_events_arrive_one_by_one", async (t, runtime) => {
  const steps: (() => void)[] = [];
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write("data: one\n\n");
        steps.push(() => response.end("data: two\n\n"));
      },
    },
  });
  const proxy = await proxyTo(t, runtime, [origin]);
  const conversation = await Conversation.open(proxy.port);
  assert.equal((await conversation.piece())?.toString(), "data: one\n\n");
  steps[0]?.();
  assert.equal((await conversation.finish()).broken, false);
});

inEach("a_head_does_not_wait_for_the_first_event", async (t, runtime) => {
  // Bun's own server does: it sends a head with what follows it.
  if (runtime === "bun") return;
  const events = new Events();
  const origin = await startOrigin(t, { behaviour: events.behaviour });
  const proxy = await proxyTo(t, runtime, [origin]);
  await events.arriveOneByOne(proxy.port);
});

inEach("an_upload_arrives_piece_by_piece", async (t, runtime) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, runtime, [origin]);
  await uploadArrivesPieceByPiece(proxy.port, origin);
});

inEach("a_large_body_passes_both_ways_unchanged", async (t, runtime) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (request, response) => {
        // Deno sends a stream without its length.
        const { "content-length": length } = request.headers;
        response.writeHead(200, length === undefined ? {} : { "content-length": length });
        request.pipe(response);
      },
    },
  });
  const proxy = await proxyTo(t, runtime, [origin]);
  const body = randomBytes(8 * 1024 * 1024);
  const answer = await send(proxy.port, { method: "POST", body });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.equals(body));
});

inEach("a_compressed_body_is_as_its_fields_say", async (t, runtime) => {
  const text = "compressible ".repeat(100);
  const codings = { gzip: gzipSync(text), br: brotliCompressSync(text), compress: "as it is" };
  const answers = Object.entries(codings).map(([coding, body]) => ({
    headers: [["content-encoding", coding] as const],
    body,
  }));
  const origin = await startOrigin(t, { behaviour: { answers } });
  const proxy = await proxyTo(t, runtime, [origin]);
  for (const [coding, sent] of Object.entries(codings)) {
    const headers = [["accept-encoding", "gzip, br"] as const];
    const { status, headers: fields, body, broken } = await send(proxy.port, { headers });
    assert.deepEqual([status, broken], [200, false]);
    const [said] = valuesOf(fields, "content-encoding");
    // As it was sent, or plain and said to be plain.
    if (said === undefined) assert.equal(body.toString(), text, coding);
    else
      assert.deepEqual([said, body.toString("hex")], [coding, Buffer.from(sent).toString("hex")]);
  }
  const asked = onlyValue(origin.seen[0]?.headers ?? [], "accept-encoding");
  assert.equal(asked, runtime === "bun" ? "gzip, br" : "identity");
});

inEach("a_body_that_may_be_decompressed_or_not_is_not_passed_on", async (t, runtime) => {
  const body = zstdCompressSync("text");
  const behaviour = { answers: [{ headers: [["content-encoding", "zstd"] as const], body }] };
  const origin = await startOrigin(t, { behaviour });
  const proxy = await proxyTo(t, runtime, [origin]);
  const answer = await send(proxy.port, { method: "POST" });
  if (runtime === "node") assert.equal(answer.status, 502);
  else assert.ok(answer.body.equals(body) || answer.body.toString() === "text");
});

inEach("a_response_to_head_keeps_its_fields", async (t, runtime) => {
  const fields = [
    ["content-encoding", "gzip"],
    ["content-length", "1234"],
  ] as const;
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        response.writeHead(200, fields.flat());
        response.end();
      },
    },
  });
  const proxy = await proxyTo(t, runtime, [origin]);
  const answer = await send(proxy.port, { method: "HEAD" });
  assert.equal(answer.status, 200);
  assert.equal(onlyValue(answer.headers, "content-encoding"), "gzip");
});

inEach("responses_without_a_body_have_none", async (t, runtime) => {
  const answers = [204, 304].map((status) => ({ status }));
  const origin = await startOrigin(t, { behaviour: { answers } });
  const proxy = await proxyTo(t, runtime, [origin], { explain: true });
  for (const { status } of answers) {
    const answer = await send(proxy.port);
    assert.deepEqual([answer.status, answer.body.byteLength], [status, 0]);
  }
});

inEach("a_redirect_is_the_clients", async (t, runtime) => {
  const location = "http://elsewhere.example/there";
  const answers = [{ status: 302, headers: [["location", location] as const], body: "moved" }];
  const origin = await startOrigin(t, { behaviour: { answers } });
  const proxy = await proxyTo(t, runtime, [origin]);
  const answer = await send(proxy.port);
  assert.deepEqual([answer.status, onlyValue(answer.headers, "location")], [302, location]);
});

inEach("a_get_with_a_body_is_refused", async (t, runtime) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, runtime, [origin]);
  const answer = await send(proxy.port, { body: "unusual" });
  assert.equal(answer.status, 501);
  assert.equal(origin.seen.length, 0);
});

inEach("a_client_that_disconnects_cancels_the_request_at_the_target", async (t, runtime) => {
  const origin = await startOrigin(t, { behaviour: ENDLESS });
  const proxy = await proxyTo(t, runtime, [origin]);
  await disconnectingCancels(proxy.port, origin);
});

inEach("a_body_that_breaks_off_is_never_complete", async (t, runtime) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ fault: "short" }] } });
  const proxy = await proxyTo(t, runtime, [origin]);
  const answer = await send(proxy.port);
  assert.ok(answer.status === 502 || answer.broken);
});
