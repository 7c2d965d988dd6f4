/** The user's own code around requests, and connections to targets made the user's way. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { connect, createServer as createHttp2Server } from "node:http2";
import { connect as connectTcp, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { Agent, ProxyAgent } from "undici";
import { WebSocket, WebSocketServer } from "ws";
import {
  createFetchHandler,
  createNodeHandler,
  type HookedRequest,
  type HookedResponse,
  type Options,
} from "../../src/node/index.js";
import { certificate } from "../support/certificate.js";
import { send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { listenAnywhere } from "../support/port.js";
import { uploadArrivesPieceByPiece } from "../support/streaming.js";
import { eventually, sleep } from "../support/waiting.js";
import { startProxy } from "./proxy.js";

test("on_request_changes_what_goes_to_the_target", async (t) => {
  const origin = await startOrigin(t);
  const seen: HookedRequest[] = [];
  const proxy = await startProxy(t, {
    targets: `${origin.url}/base`,
    onRequest: async (request) => {
      await sleep(5);
      seen.push({ ...request });
      request.headers.set("authorization", "Bearer secret");
      request.headers.delete("x-unwanted");
      // Ignored: the body is as long as it is.
      request.headers.set("content-length", "1");
      request.path = request.path.replace(/^\/old\//, "/new/");
      return undefined;
    },
  });
  const headers = [
    ["X-Unwanted", "1"],
    ["cookie", "a=1"],
    ["Cookie", "b=2"],
  ] as const;
  const body = "hello";
  const answer = await send(proxy.port, { method: "POST", path: "/old/x?y=1", headers, body });
  assert.equal(answer.status, 200);
  assert.deepEqual(
    seen.map(({ method, path, address }) => [method, path, address]),
    [["POST", "/old/x?y=1", "127.0.0.1"]],
  );
  const [got] = origin.seen;
  assert.equal(got?.path, "/base/new/x?y=1");
  assert.equal(got?.body.toString(), "hello");
  const fields = got?.headers ?? [];
  assert.equal(onlyValue(fields, "authorization"), "Bearer secret");
  assert.equal(onlyValue(fields, "cookie"), "a=1; b=2");
  assert.deepEqual(valuesOf(fields, "x-unwanted"), []);
});

test("fields_that_no_hook_changes_go_on_as_they_came", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, { targets: origin.url, onRequest: () => undefined });
  await send(proxy.port, { headers: [["X-Odd-Spelling", "1"]] });
  const names = origin.seen[0]?.headers.map(([name]) => name) ?? [];
  assert.ok(names.includes("X-Odd-Spelling"));
});

test("a_hook_cannot_lead_out_of_the_base_path", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, {
    targets: `${origin.url}/base`,
    onRequest: (request) => {
      request.path = "/../secret";
      return undefined;
    },
  });
  assert.equal((await send(proxy.port)).status, 400);
  assert.equal(origin.seen.length, 0);
});

test("on_request_may_answer_itself", async (t) => {
  const origin = await startOrigin(t);
  const responses: HookedResponse[] = [];
  const proxy = await startProxy(t, {
    targets: origin.url,
    onRequest: ({ headers }) => {
      if (headers.has("authorization")) return undefined;
      const fields = new Headers({ "www-authenticate": "Bearer" });
      fields.append("set-cookie", "a=1");
      fields.append("set-cookie", "b=2");
      return new Response("who are you?", { status: 401, headers: fields });
    },
    onResponse: (response) => void responses.push(response),
  });
  const refused = await send(proxy.port, { method: "POST", body: "x".repeat(100_000) });
  assert.deepEqual([refused.status, refused.body.toString()], [401, "who are you?"]);
  assert.equal(onlyValue(refused.headers, "www-authenticate"), "Bearer");
  assert.deepEqual(valuesOf(refused.headers, "set-cookie"), ["a=1", "b=2"]);
  const head = await send(proxy.port, { method: "HEAD" });
  assert.deepEqual([head.status, head.body.byteLength], [401, 0]);
  assert.equal(origin.seen.length, 0);
  assert.equal(responses.length, 0, "it is no response of the proxy");
  const allowed = await send(proxy.port, { headers: [["authorization", "Bearer x"]] });
  assert.equal(allowed.status, 200);
});

test("on_response_sees_the_target_and_changes_fields", async (t) => {
  const answers = [
    {
      headers: [
        ["set-cookie", "a=1"],
        ["set-cookie", "b=2"],
        ["x-powered-by", "magic"],
      ] as const,
      body: "0123456789",
    },
  ];
  const origin = await startOrigin(t, { behaviour: { answers } });
  const seen: (string | number | undefined)[][] = [];
  const proxy = await startProxy(t, {
    targets: `${origin.url}/base`,
    onResponse: async ({ status, headers, target }, { method, path }) => {
      await sleep(5);
      seen.push([method, path, status, target]);
      headers.delete("x-powered-by");
      headers.set("content-length", "3");
      headers.append("set-cookie", "c=3");
    },
  });
  const { headers, body } = await send(proxy.port, { path: "/x" });
  assert.equal(body.toString(), "0123456789");
  assert.deepEqual(valuesOf(headers, "set-cookie"), ["a=1", "b=2", "c=3"]);
  assert.deepEqual(valuesOf(headers, "x-powered-by"), []);
  await origin.close();
  const local = await send(proxy.port, { path: "/y" });
  assert.equal(local.status, 502);
  assert.deepEqual(valuesOf(local.headers, "set-cookie"), ["c=3"]);
  assert.match(onlyValue(local.headers, "content-type") ?? "", /^text\/plain/);
  assert.deepEqual(seen, [
    ["GET", "/x", 200, `${origin.url}/base`],
    ["GET", "/y", 502, undefined],
  ]);
});

test("a_hook_that_fails_is_a_502_and_the_operator_learns_why", async (t) => {
  const origin = await startOrigin(t);
  const fail = (): never => {
    throw new Error("the hook is broken");
  };
  // Not of this runtime: to ignore it would let the request pass.
  const foreign = (() => ({ status: 403 })) as unknown as () => Response;
  const failing = [{ onRequest: fail }, { onResponse: async () => fail() }, { onRequest: foreign }];
  for (const hooks of failing) {
    const proxy = await startProxy(t, { targets: origin.url, ...hooks });
    const { status, body } = await send(proxy.port);
    assert.equal(status, 502);
    assert.doesNotMatch(body.toString(), /broken/);
    assert.match(proxy.said.join(), /"event":"error".*(?:the hook is broken|neither a `Response`)/);
  }
});

test("a_client_that_leaves_during_a_hook_costs_no_request", async (t) => {
  const origin = await startOrigin(t);
  let running = false;
  let release = () => {};
  const proxy = await startProxy(t, {
    targets: origin.url,
    onRequest: async () => {
      running = true;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      return undefined;
    },
  });
  const socket = connectTcp(proxy.port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  await eventually("the hook runs", () => running);
  socket.resetAndDestroy();
  await sleep(50);
  release();
  await sleep(50);
  assert.equal(origin.seen.length, 0);
});

test("hooks_run_for_websockets_too", async (t) => {
  const echo = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  echo.on("connection", (socket, { headers }) => socket.send(String(headers["x-user"])));
  t.after(() => echo.close());
  await eventually("the echo listens", () => echo.address() !== null);
  const address = echo.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const proxy = await startProxy(t, {
    targets: `http://127.0.0.1:${port}`,
    onRequest: ({ headers, path }) => {
      if (path === "/forbidden") return new Response("no", { status: 403 });
      headers.set("x-user", "ann");
      return undefined;
    },
    onResponse: ({ headers }) => headers.set("x-hooked", "yes"),
  });
  const open = new WebSocket(`ws://127.0.0.1:${proxy.port}/`);
  const upgraded = new Promise((resolve) => open.once("upgrade", resolve));
  const heard = new Promise((resolve) => open.once("message", resolve));
  const { headers } = (await upgraded) as { headers: Record<string, string> };
  assert.equal(headers["x-hooked"], "yes");
  assert.equal(String(await heard), "ann");
  open.terminate();
  const refused = new WebSocket(`ws://127.0.0.1:${proxy.port}/forbidden`);
  const error = await new Promise<Error>((resolve) => refused.once("error", resolve));
  assert.match(error.message, /403/);
});

test("hooks_run_over_http2_and_for_the_fetch_handler", async (t) => {
  const origin = await startOrigin(t);
  const options: Options = {
    targets: origin.url,
    log: () => {},
    onRequest: ({ headers, path }) => {
      if (path === "/forbidden") return new Response("no", { status: 403 });
      headers.set("x-added", "1");
      return undefined;
    },
    onResponse: ({ headers, target }) => headers.set("x-served-by", target ?? "nobody"),
  };
  const handler = createNodeHandler(options);
  const server = createHttp2Server(handler);
  const port = await listenAnywhere(server as never);
  const session = connect(`http://127.0.0.1:${port}`);
  const fetchHandler = createFetchHandler(options);
  t.after(async () => {
    session.destroy();
    server.close();
    await Promise.all([handler.close(), fetchHandler.close()]);
  });
  const get = (path: string) =>
    new Promise<Record<string, unknown>>((resolve) => {
      const stream = session.request({ ":path": path });
      stream.on("response", (headers) => {
        stream.resume();
        resolve(headers);
      });
    });
  assert.equal((await get("/"))["x-served-by"], origin.url);
  assert.equal((await get("/forbidden"))[":status"], 403);

  const response = await fetchHandler(new Request("http://a.example/"), { address: "192.0.2.1" });
  assert.equal(response.headers.get("x-served-by"), origin.url);
  assert.equal(await response.text(), "origin");
  assert.equal((await fetchHandler(new Request("http://a.example/forbidden"))).status, 403);
  assert.equal(origin.seen.length, 2);
  const [, last] = origin.seen;
  assert.equal(onlyValue(last?.headers ?? [], "x-forwarded-for"), "192.0.2.1");
  assert.equal(onlyValue(last?.headers ?? [], "x-added"), "1");
});

test("the_fetch_handler_keeps_the_function_running_for_background_work", async (t) => {
  const one = await startOrigin(t);
  const other = await startOrigin(t, { behaviour: { health: { delay: 200 } } });
  const handler = createFetchHandler({ targets: [one.url, other.url], log: () => {} });
  t.after(() => handler.close());
  const work: Promise<unknown>[] = [];
  const context = { ip: "192.0.2.9", waitUntil: (one: Promise<unknown>) => work.push(one) };
  const response = await handler(new Request("http://a.example/"), context);
  await response.text();
  assert.ok(work.length > 0);
  await Promise.all(work);
  assert.equal(other.probes.length, 1);
  assert.equal(onlyValue(one.seen[0]?.headers ?? [], "x-forwarded-for"), "192.0.2.9");
});

test("targets_may_have_an_authority_of_ones_own", async (t) => {
  const { cert, key } = certificate();
  const origin = await startOrigin(t, { certificate: { cert, key } });
  const strange = await startProxy(t, { targets: origin.url });
  assert.equal((await send(strange.port)).status, 502);
  const proxy = await startProxy(t, { targets: origin.url, tls: { ca: cert } });
  assert.equal((await send(proxy.port)).status, 200);
  // By the client of node:http, which carries bodies of unknown length.
  const other = await startOrigin(t, { certificate: { cert, key } });
  const uploading = await startProxy(t, { targets: other.url, tls: { ca: cert } });
  await uploadArrivesPieceByPiece(uploading.port, other);
});

/** An HTTP proxy that tunnels by CONNECT, as firewalls require. */
async function startTunnel(t: TestContext): Promise<{ url: string; tunnels: string[] }> {
  const tunnels: string[] = [];
  const server = createServer((_, response) => response.writeHead(405).end());
  const sockets = new Set<Socket>();
  server.on("connect", (request, client: Socket) => {
    tunnels.push(request.url ?? "");
    const [host, port] = (request.url ?? "").split(":");
    const target = connectTcp(Number(port), host, () => {
      client.write("HTTP/1.1 200 OK\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    for (const socket of [client, target]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
  });
  const port = await listenAnywhere(server);
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${port}`, tunnels };
}

test("a_dispatcher_of_ones_own_carries_probes_requests_and_uploads", async (t) => {
  const tunnel = await startTunnel(t);
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const origin = await startOrigin(t);
  const dispatcher = new ProxyAgent({ uri: tunnel.url, proxyTunnel: true });
  const proxy = await startProxy(t, { targets: [dead.url, origin.url], dispatcher });
  t.after(() => dispatcher.destroy());
  assert.equal((await send(proxy.port)).body.toString(), "origin");
  const posted = await send(proxy.port, { method: "POST", chunked: true, body: "in chunks" });
  assert.equal(posted.status, 200);
  assert.equal(origin.seen[1]?.body.toString(), "in chunks");
  assert.ok(origin.probes.length > 0);
  assert.ok(tunnel.tunnels.includes(origin.authority));
});

test("a_dispatcher_of_ones_own_stays_open", async (t) => {
  const origin = await startOrigin(t);
  const dispatcher = new Agent();
  t.after(() => dispatcher.destroy());
  const handler = createNodeHandler({ targets: origin.url, dispatcher, log: () => {} });
  await handler.close();
  const { statusCode } = await dispatcher.request({ origin: origin.url, path: "/", method: "GET" });
  assert.equal(statusCode, 200);
});
