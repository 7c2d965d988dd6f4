/** WebSockets through the proxy. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type TestContext, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { listenAnywhere } from "../support/port.js";
import { within } from "../support/waiting.js";
import { startProxy } from "./proxy.js";

interface Echo {
  readonly url: string;
  readonly server: Server;
  /** The headers of the handshakes that it saw. */
  readonly handshakes: NodeJS.Dict<string | string[]>[];
}

/** Says everything again; answers probes. */
async function startEcho(t: TestContext): Promise<Echo> {
  const handshakes: Echo["handshakes"] = [];
  const server = createServer((_request, response) => response.end("ok"));
  const sockets = new WebSocketServer({ server, handleProtocols: () => "chat" });
  sockets.on("connection", (socket, request) => {
    handshakes.push(request.headers);
    socket.on("message", (data, isBinary) => {
      if (String(data) === "leave") socket.close(4001, "as you say");
      else socket.send(data, { binary: isBinary });
    });
  });
  const port = await listenAnywhere(server);
  t.after(() => {
    for (const socket of sockets.clients) socket.terminate();
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}`, server, handshakes };
}

test("a_websocket_passes", async (t) => {
  const echo = await startEcho(t);
  // Explained too: a handshake is passed on as it is.
  const proxy = await startProxy(t, { FETCH_TARGETS: echo.url, FETCH_EXPLAIN: "true" });
  const headers = { "x-mine": "1" };
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/socket?x=1`, "chat", { headers });
  await within(10_000, "the socket opens", once(socket, "open"));
  assert.equal(socket.protocol, "chat");
  for (const message of ["one", "x".repeat(100_000)]) {
    const echoed = once(socket, "message");
    socket.send(message);
    const [data, isBinary] = await within(10_000, "the message comes back", echoed);
    assert.equal(String(data), message);
    assert.equal(isBinary, false);
  }
  const binary = once(socket, "message");
  socket.send(Buffer.from([0, 255, 1]));
  assert.deepEqual(
    (await within(10_000, "the bytes come back", binary))[0],
    Buffer.from([0, 255, 1]),
  );
  const closed = once(socket, "close");
  socket.send("leave");
  const [code, reason] = await within(10_000, "the target closes it", closed);
  assert.deepEqual([code, String(reason)], [4001, "as you say"]);
  assert.equal(echo.handshakes[0]?.["x-mine"], "1");
  assert.equal(echo.handshakes[0]?.via, "1.1 function-fetch");
});

test("a_handshake_that_is_refused_is_answered", async (t) => {
  const server = createServer((_request, response) => {
    response.writeHead(403);
    response.end("not you");
  });
  const port = await listenAnywhere(server);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  const proxy = await startProxy(t, { FETCH_TARGETS: `http://127.0.0.1:${port}` });
  const socket = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  const refused = new Promise<number | undefined>((resolve) => {
    socket.on("unexpected-response", (_request, response) => {
      response.resume();
      resolve(response.statusCode);
    });
  });
  assert.equal(await within(10_000, "it is refused", refused), 403);
});
