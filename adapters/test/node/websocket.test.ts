/** WebSockets, routed like other requests. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type TestContext, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { Conversation } from "../support/client.js";
import { onlyValue } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { listenAnywhere } from "../support/port.js";
import { eventually } from "../support/waiting.js";
import { startProxy } from "./proxy.js";

interface Echo {
  readonly url: string;
  readonly server: WebSocketServer;
}

/** A server that echoes everything. */
async function startEcho(t: TestContext): Promise<Echo> {
  const http = createServer((_request, response) => response.end());
  const server = new WebSocketServer({ server: http, handleProtocols: () => "chat" });
  server.on("connection", (socket, request) => {
    socket.send(`hello ${request.url} ${request.headers["x-forwarded-for"]}`);
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  const port = await listenAnywhere(http);
  t.after(() => {
    for (const client of server.clients) client.terminate();
    http.close();
    http.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}`, server };
}

async function nextMessage(socket: WebSocket): Promise<Buffer> {
  const [data] = await once(socket, "message");
  return data as Buffer;
}

test("a_websocket_passes_both_ways", async (t) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const echo = await startEcho(t);
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: `${dead.url},${echo.url}/base`, FETCH_CACHE_ADAPTER: "none" },
  });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/x?y`, ["chat"]);
  assert.equal((await nextMessage(socket)).toString(), "hello /base/x?y 127.0.0.1");
  assert.equal(socket.protocol, "chat");
  socket.send("text");
  assert.equal((await nextMessage(socket)).toString(), "text");
  const big = Buffer.alloc(8 * 1024 * 1024, "b");
  socket.send(big);
  assert.equal(Buffer.compare(await nextMessage(socket), big), 0);
  const closed = once(socket, "close");
  socket.close(4001, "bye");
  const [code] = await closed;
  assert.equal(code, 4001);
  await eventually("the target's connection is closed", () => echo.server.clients.size === 0);
});

test("a_client_that_vanishes_closes_the_targets_end", async (t) => {
  const echo = await startEcho(t);
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: echo.url } });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  await nextMessage(socket);
  assert.equal(echo.server.clients.size, 1);
  socket.terminate();
  await eventually("the target's connection is closed", () => echo.server.clients.size === 0);
});

test("a_target_that_vanishes_closes_the_clients_end", async (t) => {
  const echo = await startEcho(t);
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: echo.url } });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  socket.on("error", () => {});
  await nextMessage(socket);
  for (const client of echo.server.clients) client.terminate();
  await once(socket, "close");
});

test("a_target_that_declines_is_relayed", async (t) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ status: 403, body: "no" }] } });
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: origin.url } });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  const [, response] = await once(socket, "unexpected-response");
  assert.equal(response.statusCode, 403);
  assert.deepEqual(await response.toArray().then(Buffer.concat), Buffer.from("no"));
});

test("without_any_target_the_reply_is_http", async (t) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: dead.url, FETCH_CACHE_ADAPTER: "none" },
  });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  const [, response] = await once(socket, "unexpected-response");
  assert.equal(response.statusCode, 502);
  response.destroy();
});

test("other_protocols_are_served_without_the_upgrade", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: origin.url } });
  const headers = [
    ["connection", "Upgrade, HTTP2-Settings"],
    ["upgrade", "h2c"],
    ["http2-settings", "AAMAAABkAAQAAP__"],
  ] as const;
  const { status, body } = await (await Conversation.open(proxy.port, { headers })).finish();
  assert.equal(status, 200);
  assert.equal(body.toString(), "origin");
  assert.equal(origin.seen[0]?.header("upgrade"), undefined);
  assert.equal(origin.seen[0]?.header("http2-settings"), undefined);
  // With a body, too: the rest of it is still to come when the upgrade is
  // declined.
  const post = await Conversation.open(proxy.port, {
    method: "POST",
    headers: [...headers, ["content-length", "300000"]],
  });
  await post.wire.write("x".repeat(100_000));
  await post.wire.write("x".repeat(200_000));
  assert.equal((await post.finish()).body.toString(), "origin");
  assert.equal(origin.seen[1]?.method, "POST");
  assert.equal(origin.seen[1]?.bodyBytes, 300_000);
  assert.equal(origin.seen[1]?.header("upgrade"), undefined);
  assert.equal(origin.seen[1]?.header("x-forwarded-for"), "127.0.0.1");
});

test("a_websocket_with_a_body_is_refused", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: origin.url } });
  const headers = [
    ["connection", "upgrade"],
    ["upgrade", "websocket"],
    ["content-length", "1"],
  ] as const;
  const post = await Conversation.open(proxy.port, { method: "POST", headers });
  const refused = await post.finish();
  assert.equal(refused.status, 501);
  assert.equal(
    onlyValue(refused.headers, "proxy-status"),
    "function-fetch; error=http_request_error",
  );
});

test("closing_the_handler_closes_the_tunnels", async (t) => {
  const echo = await startEcho(t);
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: echo.url } });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  socket.on("error", () => {});
  await nextMessage(socket);
  const closed = once(socket, "close");
  await proxy.handler.close();
  await closed;
});
