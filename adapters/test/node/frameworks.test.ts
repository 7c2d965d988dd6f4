/** The handler in use: Express, Fastify, TLS, HTTP/2, `fetch`. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect as connectHttp2, createServer as createHttp2Server } from "node:http2";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { type TestContext, test } from "node:test";
import express from "express";
import fastify from "fastify";
import { Agent, request as requestBy } from "undici";
import { createFetchHandler, createNodeHandler, type Options } from "../../src/node/index.js";
import { certificate } from "../support/certificate.js";
import { send } from "../support/client.js";
import { onlyValue } from "../support/fields.js";
import type { Origin } from "../support/origin.js";
import { startOrigin } from "../support/origin.js";
import { listenAnywhere } from "../support/port.js";
import { eventually } from "../support/waiting.js";

function optionsFor(origin: Origin): Options {
  return { env: { FETCH_TARGETS: origin.url }, log: () => {} };
}

function handlerFor(t: TestContext, origin: Origin) {
  const handler = createNodeHandler(optionsFor(origin));
  t.after(() => handler.close());
  return handler;
}

async function listening(t: TestContext, server: Server): Promise<number> {
  const port = await listenAnywhere(server);
  t.after(() => server.close());
  return port;
}

test("express_mounts_it", async (t) => {
  const origin = await startOrigin(t);
  const app = express();
  app.get("/own", (_request, response) => {
    response.send("its own");
  });
  app.use("/api", handlerFor(t, origin));
  const port = await listening(t, createServer(app));
  assert.equal((await send(port, { path: "/own" })).body.toString(), "its own");
  const answer = await send(port, { path: "/api/x?y", method: "POST", body: "a body" });
  assert.equal(answer.status, 200);
  // Express removes the path at which the handler is mounted.
  assert.equal(origin.seen[0]?.path, "/x?y");
  assert.equal(origin.seen[0]?.body.toString(), "a body");
});

test("a_body_that_a_parser_has_read_is_a_clear_error", async (t) => {
  const origin = await startOrigin(t);
  const app = express();
  app.use(express.json());
  app.use(handlerFor(t, origin));
  const port = await listening(t, createServer(app));
  const headers = [["content-type", "application/json"]] as const;
  const answer = await send(port, { method: "POST", headers, body: '{"a":1}' });
  assert.equal(answer.status, 500);
  assert.match(answer.body.toString(), /before any body parser, such as express\.json\(\)/);
  assert.equal(
    onlyValue(answer.headers, "proxy-status"),
    "function-fetch; error=proxy_configuration_error",
  );
  assert.equal(origin.seen.length, 0);
  // A body that the parser ignores is passed on.
  assert.equal((await send(port)).status, 200);
  assert.equal((await send(port, { method: "POST", body: "text" })).status, 200);
  assert.equal(origin.seen[1]?.body.toString(), "text");
});

test("fastify_routes_to_it", async (t) => {
  const origin = await startOrigin(t);
  const handler = handlerFor(t, origin);
  const app = fastify();
  // The body stays unread, for the handler to pass on.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, _payload, done) => done(null));
  app.all("/*", (request, reply) => {
    reply.hijack();
    return handler(request.raw, reply.raw);
  });
  await app.listen({ port: 0, host: "127.0.0.1" });
  t.after(() => app.close());
  const { port } = app.server.address() as AddressInfo;
  const headers = [["content-type", "application/json"]] as const;
  const answer = await send(port, { path: "/x?y", method: "POST", headers, body: '{"a":1}' });
  assert.equal(answer.status, 200);
  assert.equal(origin.seen[0]?.path, "/x?y");
  assert.equal(origin.seen[0]?.body.toString(), '{"a":1}');
});

test("https_is_forwarded_to_the_target", async (t) => {
  const origin = await startOrigin(t);
  const { key, cert } = certificate();
  const port = await listening(t, createTlsServer({ key, cert }, handlerFor(t, origin)));
  const dispatcher = new Agent({ connect: { rejectUnauthorized: false }, allowH2: false });
  t.after(() => dispatcher.destroy());
  const { statusCode, body } = await requestBy(`https://127.0.0.1:${port}/`, { dispatcher });
  assert.equal(statusCode, 200);
  await body.dump();
  assert.equal(origin.seen[0]?.header("x-forwarded-proto"), "https");
});

test("http2_clients_are_served", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: [
        {
          body: "over HTTP/2",
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
          trailers: [["x-checksum", "abc"]],
        },
      ],
    },
  });
  const server = createHttp2Server(handlerFor(t, origin));
  const port = await listenAnywhere(server);
  t.after(() => server.close());
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ":method": "POST", ":path": "/x", "x-a": "1" });
  const trailers = once(stream, "trailers");
  stream.end("a body");
  const [fields] = await once(stream, "response");
  assert.equal(fields[":status"], 200);
  assert.deepEqual(fields["set-cookie"], ["a=1", "b=2"]);
  const body = Buffer.concat(await stream.toArray());
  assert.equal(body.toString(), "over HTTP/2");
  assert.equal((await trailers)[0]["x-checksum"], "abc");
  const [seen] = origin.seen;
  assert.equal(seen?.body.toString(), "a body");
  assert.equal(seen?.header("x-forwarded-host"), `127.0.0.1:${port}`);
  assert.ok(seen?.headers.every(([name]) => !name.startsWith(":")));
});

test("an_http2_response_that_breaks_is_reset", async (t) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ fault: "short" }] } });
  const server = createHttp2Server(handlerFor(t, origin));
  const port = await listenAnywhere(server);
  t.after(() => server.close());
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ":path": "/" });
  await assert.rejects(stream.toArray(), { code: "ERR_HTTP2_STREAM_ERROR" });
});

test("requests_of_the_fetch_standard_are_served", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: [
        {
          body: "an answer",
          headers: [
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
          ],
        },
      ],
    },
  });
  const handler = createFetchHandler(optionsFor(origin));
  t.after(() => handler.close());
  const asked = new Request("https://edge.example/x?y", {
    method: "POST",
    body: "a body",
    headers: { "x-a": "1" },
  });
  const answer = await handler(asked, { address: "192.0.2.7" });
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.headers.getSetCookie(), ["a=1", "b=2"]);
  assert.equal(await answer.text(), "an answer");
  const [seen] = origin.seen;
  assert.equal(seen?.path, "/x?y");
  assert.equal(seen?.body.toString(), "a body");
  assert.equal(seen?.header("x-a"), "1");
  assert.equal(seen?.header("x-forwarded-for"), "192.0.2.7");
  assert.equal(seen?.header("x-forwarded-host"), "edge.example");
  assert.equal(seen?.header("x-forwarded-proto"), "https");
});

test("a_fetch_handler_streams_and_breaks_as_the_target_does", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (request, response) => {
        if (request.url === "/204") {
          response.writeHead(204).end();
          return;
        }
        response.writeHead(200);
        response.write("begun");
        if (request.url === "/breaks") setTimeout(() => request.socket.resetAndDestroy(), 50);
      },
    },
  });
  const handler = createFetchHandler(optionsFor(origin));
  t.after(() => handler.close());

  const empty = await handler(new Request("http://edge.example/204"));
  assert.equal(empty.status, 204);
  assert.equal(empty.body, null);

  const breaks = await handler(new Request("http://edge.example/breaks"));
  await assert.rejects(breaks.text());

  const endless = await handler(new Request("http://edge.example/endless"));
  const reader = endless.body?.getReader();
  const read = await reader?.read();
  assert.equal(Buffer.from(read?.value ?? []).toString(), "begun");
  await reader?.cancel();
  await eventually("the target's response is closed", () => origin.seen[2]?.abandoned);
});

test("a_fetch_request_that_is_aborted_is_cancelled_upstream", async (t) => {
  const origin = await startOrigin(t, { behaviour: { answers: [{ fault: "silent" }] } });
  const handler = createFetchHandler(optionsFor(origin));
  t.after(() => handler.close());
  const controller = new AbortController();
  const answer = handler(new Request("http://edge.example/", { signal: controller.signal }));
  await eventually("the target has the request", () => origin.seen.length === 1);
  controller.abort();
  await assert.rejects(answer, { name: "AbortError" });
  await eventually("the target's request is closed", () => origin.seen[0]?.abandoned);
});

test("a_fetch_response_waits_for_its_reader", async (t) => {
  let written = 0;
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        const piece = Buffer.alloc(64 * 1024, "x");
        const more = () => {
          while (written < 128 * 1024 * 1024) {
            written += piece.byteLength;
            if (!response.write(piece)) return;
          }
          response.end();
        };
        response.on("drain", more);
        more();
      },
    },
  });
  const handler = createFetchHandler(optionsFor(origin));
  t.after(() => handler.close());
  const { body } = await handler(new Request("http://edge.example/"));
  await eventually("the origin stalls", async () => {
    const before = written;
    await new Promise((resolve) => setTimeout(resolve, 300));
    return written === before;
  });
  assert.ok(written < 32 * 1024 * 1024, `${written} bytes were taken from the origin`);
  let read = 0;
  for await (const chunk of body ?? []) read += chunk.byteLength;
  assert.equal(read, 128 * 1024 * 1024);
});
