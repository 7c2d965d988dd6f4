/** The command's server limits its clients, as `function-fetch serve` does. */

import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { ClientLimits } from "../../src/node/client-limits.js";
import type { Options } from "../../src/node/index.js";
import { Conversation, send } from "../support/client.js";
import { type Origin, startOrigin } from "../support/origin.js";
import { eventually, SOON, sleep, within } from "../support/waiting.js";
import { Wire } from "../support/wire.js";
import { Command, startServer } from "./proxy.js";

/** The port of the command's server in front of an origin, with these limits. */
async function limited(
  t: TestContext,
  origin: Origin,
  limits: Partial<ClientLimits>,
  options: Options = {},
): Promise<number> {
  const env = { FETCH_TARGETS: origin.url, FETCH_CACHE_ADAPTER: "none" };
  const server = await startServer(t, { env, ...options }, limits);
  return Number(new URL(server.url).port);
}

/** All that arrives until the other side closes, and after how long it did, ms. */
async function rest(wire: Wire): Promise<{ text: string; elapsed: number }> {
  const started = performance.now();
  const pieces: Buffer[] = [];
  const reading = async () => {
    for (let piece = await wire.read(); piece !== undefined; piece = await wire.read()) {
      pieces.push(piece);
    }
  };
  await within(SOON, "the connection is closed", reading());
  wire.close();
  return { text: Buffer.concat(pieces).toString("latin1"), elapsed: performance.now() - started };
}

const HEAD = "GET / HTTP/1.1\r\nhost: a\r\n";

test("a_request_head_is_limited_in_bytes_and_fields", async (t) => {
  const origin = await startOrigin(t);
  const port = await limited(t, origin, { maxHeaderFields: 20, maxHeaderBytes: 9_000 });
  const fields = (count: number) =>
    Array.from({ length: count }, (_, at) => [`x-${at}`, "1"] as const);
  // One of them is the host.
  assert.equal((await send(port, { headers: fields(19) })).status, 200);
  assert.equal((await send(port, { headers: fields(20) })).status, 431);
  assert.equal((await send(port, { headers: fields(300) })).status, 431);
  assert.equal((await send(port, { headers: [["x-fill", "a".repeat(8_000)]] })).status, 200);
  assert.equal((await send(port, { headers: [["x-fill", "a".repeat(10_000)]] })).status, 431);
  assert.equal(origin.seen.length, 2);
});

test("a_half_sent_head_has_a_time_limit", async (t) => {
  const origin = await startOrigin(t);
  const port = await limited(t, origin, { headerTimeout: 600 });
  const wire = await Wire.connect(port);
  await wire.write(HEAD);
  const { text, elapsed } = await rest(wire);
  assert.ok(elapsed > 400, `${elapsed}`);
  assert.match(text, /^(?:HTTP\/1\.1 408 .*)?/s);
  assert.equal(origin.seen.length, 0);
});

test("an_idle_connection_is_closed_in_time", async (t) => {
  const origin = await startOrigin(t);
  const port = await limited(t, origin, { idleTimeout: 700 });
  const conversation = await Conversation.open(port);
  await conversation.piece();
  const { elapsed } = await rest(conversation.wire);
  assert.ok(elapsed > 500, `${elapsed}`);
});

test("a_kept_connection_outlives_the_other_limits", async (t) => {
  const origin = await startOrigin(t);
  const port = await limited(t, origin, {
    headerTimeout: 300,
    bodyTimeout: 300,
    writeTimeout: 300,
  });
  const wire = await Wire.connect(port);
  for (let request = 0; request < 3; request += 1) {
    await wire.write(`${HEAD}\r\n`);
    let text = "";
    while (!text.includes("\r\n\r\n")) text += (await wire.read())?.toString("latin1");
    assert.match(text, /^HTTP\/1\.1 200 /);
    await sleep(900);
  }
  wire.close();
});

test("a_stalled_upload_is_broken_off", async (t) => {
  const origin = await startOrigin(t);
  const port = await limited(t, origin, { bodyTimeout: 700 });
  for (const [framing, start] of [
    ["content-length: 1000", "abc"],
    ["content-length: 1000", ""],
    ["transfer-encoding: chunked", "3\r\nabc\r\n"],
  ]) {
    const wire = await Wire.connect(port);
    await wire.write(`POST / HTTP/1.1\r\nhost: a\r\n${framing}\r\n\r\n${start}`);
    const { text, elapsed } = await rest(wire);
    assert.ok(elapsed > 500, `${elapsed}`);
    assert.match(text, /^HTTP\/1\.1 400 /);
    assert.match(text, /\r\nconnection: close\r\n/i);
  }
  // One that is slow, but not silent, is waited for.
  const slow = await Conversation.open(port, { method: "POST", chunked: true });
  for (let piece = 0; piece < 6; piece += 1) {
    await slow.chunk("piece");
    await sleep(250);
  }
  await slow.endChunks();
  const { status } = await slow.finish();
  assert.equal(status, 200);
  const whole = origin.seen.filter((seen) => seen.complete);
  assert.deepEqual(
    whole.map((seen) => seen.body.toString()),
    ["piece".repeat(6)],
  );
});

test("a_client_that_reads_nothing_is_disconnected", async (t) => {
  let closed = 0;
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        const more = () => {
          while (response.write("x".repeat(65_536)));
        };
        response.on("drain", more).on("close", () => {
          closed += 1;
        });
        more();
      },
    },
  });
  const port = await limited(t, origin, { writeTimeout: 700 });
  const reads = await Conversation.open(port);
  const stalls = await Conversation.open(port);
  await stalls.head();
  // One that reads is served on. The system takes many writes before it lets the server see any of it.
  const until = performance.now() + 3_000;
  while (performance.now() < until) {
    assert.ok(await within(SOON, "more arrives", reads.piece()));
    await sleep(1);
  }
  await eventually("the response to the other one has ended", () => closed === 1);
  reads.wire.close();
  stalls.wire.close();
});

test("a_client_that_waits_for_a_slow_target_is_not_disconnected", async (t) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ delay: 2_000 }] } });
  const port = await limited(t, origin, { writeTimeout: 300, bodyTimeout: 300 });
  assert.equal((await send(port)).status, 200);
});

test("connections_are_limited", async (t) => {
  const origin = await startOrigin(t);
  const port = await limited(t, origin, { maxConnections: 2 });
  const first = await Conversation.open(port);
  await first.piece();
  const second = await Wire.connect(port);
  await eventually("a third one is refused", async () => {
    const wire = await Wire.connect(port);
    await wire.write(`${HEAD}\r\n`);
    const { text } = await rest(wire);
    return /^HTTP\/1\.1 503 /.test(text) && /\r\nretry-after: 1\r\n/.test(text);
  });
  assert.equal(origin.seen.length, 1);
  second.close();
  await eventually("there is room again", async () => (await send(port)).status === 200);
  first.wire.close();
});

test("a_target_that_stalls_within_a_body_is_broken_off", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: { answers: (_request, response) => response.write("begun") },
  });
  const port = await limited(t, origin, {}, { upstreamIdleTimeout: 700 });
  for (const request of [{}, { method: "POST", chunked: true, body: "streamed" }]) {
    const started = performance.now();
    const { body, broken } = await send(port, request);
    assert.deepEqual([body.toString(), broken], ["begun", true]);
    assert.ok(performance.now() - started > 500);
  }
});

test("the_command_passes_its_limits_on", async (t) => {
  const origin = await startOrigin(t);
  const command = Command.start(t, { FETCH_TARGETS: origin.url }, [
    "--max-header-fields=2",
    "--client-idle-timeout=1s",
  ]);
  const port = await command.port();
  assert.equal((await send(port)).status, 200);
  const headers = [
    ["x-1", "1"],
    ["x-2", "2"],
  ] as const;
  assert.equal((await send(port, { headers })).status, 431);
  const conversation = await Conversation.open(port);
  await conversation.piece();
  await rest(conversation.wire);
});
