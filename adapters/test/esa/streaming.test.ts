/** Streaming responses and bodies. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { gzipSync } from "node:zlib";
import { Conversation, send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import {
  disconnectingCancels,
  ENDLESS,
  Events,
  uploadArrivesPieceByPiece,
} from "../support/streaming.js";
import { eventually } from "../support/waiting.js";
import { inEach, routineTo } from "./scene.js";

inEach("server_sent_events_arrive_one_by_one", async (t, runtime) => {
  const events = new Events();
  const origin = await startOrigin(t, { behaviour: events.behaviour });
  const routine = await routineTo(t, runtime, [origin]);
  await events.arriveOneByOne(routine.port);
});

inEach("an_upload_arrives_piece_by_piece", async (t, runtime) => {
  const origin = await startOrigin(t);
  const routine = await routineTo(t, runtime, [origin]);
  await uploadArrivesPieceByPiece(routine.port, origin);
});

inEach("a_large_body_passes_both_ways_unchanged", async (t, runtime) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (request, response) => {
        response.writeHead(200);
        request.pipe(response);
      },
    },
  });
  const routine = await routineTo(t, runtime, [origin]);
  const body = randomBytes(8 * 1024 * 1024);
  const answer = await send(routine.port, { method: "POST", body });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.equals(body));
});

inEach("a_client_that_disconnects_cancels_the_request_at_the_target", async (t, runtime) => {
  const origin = await startOrigin(t, { behaviour: ENDLESS });
  const routine = await routineTo(t, runtime, [origin]);
  await disconnectingCancels(routine.port, origin);
});

inEach("a_client_that_disconnects_before_the_head_cancels_the_request_too", async (t, runtime) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ fault: "silent" }] } });
  const routine = await routineTo(t, runtime, [origin]);
  const conversation = await Conversation.open(routine.port);
  await eventually("the origin has the request", () => origin.seen.length === 1);
  conversation.wire.reset();
  await eventually("the origin notices it", () => origin.seen[0]?.abandoned);
});

inEach("a_body_that_breaks_off_is_never_complete", async (t, runtime) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ fault: "short" }] } });
  const routine = await routineTo(t, runtime, [origin]);
  const answer = await send(routine.port);
  assert.equal(answer.status, 200);
  assert.equal(answer.broken, true);
});

inEach("repeated_set_cookie_fields_stay_separate", async (t, runtime) => {
  const cookies = ["a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2", "c=3"];
  const headers = cookies.map((cookie) => ["set-cookie", cookie] as const);
  // A hop-by-hop field, so that the response has to be rebuilt.
  const answers = [{ headers: [...headers, ["proxy-connection", "close"] as const] }];
  const origin = await startOrigin(t, { behaviour: { answers } });
  const routine = await routineTo(t, runtime, [origin]);
  const answer = await send(routine.port);
  assert.deepEqual(valuesOf(answer.headers, "set-cookie"), cookies);
  assert.deepEqual(valuesOf(answer.headers, "proxy-connection"), []);
});

inEach("a_redirect_is_the_clients", async (t, runtime) => {
  const elsewhere = await startOrigin(t, { name: "elsewhere" });
  const location = `http://localhost:${elsewhere.port}/there`;
  const answers = [{ status: 302, headers: [["location", location] as const], body: "moved" }];
  const origin = await startOrigin(t, { behaviour: { answers } });
  const routine = await routineTo(t, runtime, [origin]);
  const answer = await send(routine.port);
  assert.equal(answer.status, 302);
  assert.equal(onlyValue(answer.headers, "location"), location);
  assert.equal(elsewhere.seen.length, 0);
});

inEach("a_compressed_body_passes_byte_for_byte", async (t, runtime) => {
  const body = gzipSync(Buffer.alloc(100_000, "compressible "));
  const answers = [{ headers: [["content-encoding", "gzip"] as const], body }];
  const origin = await startOrigin(t, { behaviour: { answers } });
  const routine = await routineTo(t, runtime, [origin]);
  const answer = await send(routine.port, { headers: [["accept-encoding", "gzip"]] });
  assert.equal(onlyValue(answer.headers, "content-encoding"), "gzip");
  assert.ok(answer.body.equals(body));
});

inEach("the_client_address_comes_from_the_runtime", async (t, runtime) => {
  const origin = await startOrigin(t);
  const routine = await routineTo(t, runtime, [origin]);
  const headers = [
    ["x-forwarded-for", "6.6.6.6"],
    ["ali-real-client-ip", "6.6.6.6"],
    ["ali-cdn-real-ip", "6.6.6.6"],
    ["x-real-ip", "6.6.6.6"],
  ] as const;
  await send(routine.port, { headers });
  assert.equal(origin.seen[0]?.header("x-forwarded-for"), "127.0.0.1");
});

inEach("a_get_with_a_body_is_refused_and_not_changed", async (t, runtime) => {
  const origin = await startOrigin(t);
  const routine = await routineTo(t, runtime, [origin]);
  const answer = await send(routine.port, { body: "a query" });
  assert.equal(answer.status, 501);
  assert.equal(
    onlyValue(answer.headers, "proxy-status"),
    "function-fetch; error=http_request_error",
  );
  assert.equal(origin.seen.length, 0);
});
