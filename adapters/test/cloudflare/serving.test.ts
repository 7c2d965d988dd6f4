/** One request, there and back: what is specific to Workers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { startProxy, startWorkerd } from "./proxy.js";

test("the_edges_facts_pass_with_the_request", async (t) => {
  const cf: unknown[] = [];
  const isProbe = (headers: Headers) => headers.get("user-agent")?.startsWith("function-fetch/");
  const proxy = await startProxy(
    t,
    { FETCH_TARGETS: "http://target.example" },
    {
      outboundService: (request: { cf?: unknown; headers: Headers }) => {
        if (!isProbe(request.headers)) cf.push(request.cf);
        return new Response("ok") as never;
      },
    },
  );
  assert.equal((await send(proxy.port)).status, 200);
  assert.equal(cf.length, 1);
  assert.partialDeepStrictEqual(cf[0], { colo: "FRA", country: "DE" });
});

test("the_client_address_comes_from_the_edge_alone", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  const forged = [
    ["x-forwarded-for", "6.6.6.6"],
    ["x-forwarded-host", "evil.example"],
    ["x-forwarded-proto", "gopher"],
    ["forwarded", "for=6.6.6.6"],
  ] as const;
  // The edge sets this one, whatever the client sent.
  const stated = [
    ["cf-connecting-ip", "192.0.2.7"],
    ["host", "www.example.com"],
  ] as const;
  await send(proxy.port, { headers: [...stated, ...forged] });
  await send(proxy.port, { headers: forged });
  const [first, second] = origin.seen;
  assert.equal(first?.header("x-forwarded-for"), "192.0.2.7");
  assert.equal(first?.header("x-forwarded-host"), "www.example.com");
  assert.equal(first?.header("x-forwarded-proto"), "http");
  assert.equal(first?.header("forwarded"), undefined);
  assert.equal(first?.header("via"), "1.1 function-fetch");
  assert.equal(second?.header("x-forwarded-for"), undefined);
});

test("hop_by_hop_fields_are_not_forwarded", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: {
      answers: [
        {
          headers: [
            ["connection", "x-mine"],
            ["x-mine", "1"],
            ["proxy-connection", "keep-alive"],
            ["proxy-authenticate", "Basic"],
            ["set-cookie", "a=1"],
            ["set-cookie", "b=2"],
            ["x-kept", "1"],
          ],
        },
      ],
    },
  });
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  const answer = await send(proxy.port, {
    headers: [
      ["connection", "x-yours, upgrade"],
      ["x-yours", "1"],
      ["proxy-authorization", "Basic eDp4"],
      ["proxy-connection", "keep-alive"],
      ["http2-settings", "AAMAAABk"],
      ["expect", "100-continue"],
      ["x-kept", "1"],
    ],
  });
  for (const name of ["x-mine", "proxy-connection", "proxy-authenticate"]) {
    assert.deepEqual(valuesOf(answer.headers, name), [], name);
  }
  assert.deepEqual(valuesOf(answer.headers, "set-cookie"), ["a=1", "b=2"]);
  assert.equal(onlyValue(answer.headers, "x-kept"), "1");
  const [seen] = origin.seen;
  for (const name of [
    "x-yours",
    "proxy-authorization",
    "proxy-connection",
    "http2-settings",
    "expect",
  ]) {
    assert.deepEqual(seen?.values(name), [], name);
  }
  assert.equal(seen?.header("x-kept"), "1");
});

test("compressed_bodies_pass_unchanged", async (t) => {
  const bytes = gzipSync("said once, ".repeat(100));
  const headers = [
    ["content-encoding", "gzip"],
    ["set-cookie", "a=1"],
    ["set-cookie", "b=2"],
  ] as const;
  const origin = await startOrigin(t, { behaviour: { answers: [{ headers, body: bytes }] } });
  const plain = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  // With `FETCH_EXPLAIN` a response is rebuilt.
  const explained = await startWorkerd(t, { FETCH_TARGETS: origin.url, FETCH_EXPLAIN: "true" });
  for (const { port } of [plain, explained]) {
    const answer = await send(port, { headers: [["accept-encoding", "gzip"]] });
    assert.equal(onlyValue(answer.headers, "content-encoding"), "gzip");
    assert.equal(onlyValue(answer.headers, "content-length"), String(bytes.byteLength));
    assert.deepEqual(valuesOf(answer.headers, "set-cookie"), ["a=1", "b=2"]);
    assert.deepEqual(answer.body, bytes);
    const { headers: unread } = await send(port, { method: "HEAD" });
    assert.equal(onlyValue(unread, "content-length"), String(bytes.byteLength));
  }
});

test("responses_without_a_body_have_none", async (t) => {
  const answers = [
    { status: 204 },
    { status: 304 },
    { status: 302, headers: [["location", "/x"]] },
  ];
  for (const explain of ["false", "true"]) {
    const origin = await startOrigin(t, { behaviour: { answers: answers as never } });
    const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url, FETCH_EXPLAIN: explain });
    const got = [await send(proxy.port), await send(proxy.port), await send(proxy.port)];
    assert.deepEqual(
      got.map(({ status }) => status),
      [204, 304, 302],
    );
    assert.equal(got[0]?.body.byteLength, 0);
    assert.equal(
      valuesOf(got[0]?.headers ?? [], "proxy-status").length,
      explain === "true" ? 1 : 0,
    );
    assert.equal(onlyValue(got[2]?.headers ?? [], "location"), "/x");
  }
});

test("a_get_may_have_a_body", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  const answer = await send(proxy.port, { body: "query" });
  assert.equal(answer.status, 200);
  const [seen] = origin.seen;
  assert.equal(seen?.body.toString(), "query");
  assert.equal(seen?.header("via"), "1.1 function-fetch");
});

test("a_body_is_as_long_as_its_client_says", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url });
  await send(proxy.port, { method: "POST", body: "sized" });
  await send(proxy.port, { method: "PUT", body: "chunked", chunked: true });
  await send(proxy.port, { method: "DELETE" });
  const [sized, chunked, none] = origin.seen;
  assert.equal(sized?.header("content-length"), "5");
  assert.equal(sized?.body.toString(), "sized");
  assert.equal(chunked?.header("transfer-encoding"), "chunked");
  assert.equal(chunked?.body.toString(), "chunked");
  assert.equal(none?.body.byteLength, 0);
});

test("no_path_leaves_a_targets_base_path", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWorkerd(t, { FETCH_TARGETS: `${origin.url}/base` });
  const paths = [
    "/../x",
    "/%2e%2e/x",
    "/%2E./x",
    "/a/..\\..\\..\\x",
    "/.%2e/%2e./x?y=/../z",
    "//evil.example/x",
  ];
  for (const path of paths) await send(proxy.port, { path });
  assert.equal(origin.seen.length, paths.length);
  for (const { path } of origin.seen) assert.match(path, /^\/base\//);
});

test("a_post_fails_over_on_cloudflares_status_for_a_dead_target", async (t) => {
  for (const status of [521, 522, 523, 525, 526, 530]) {
    const dead = await startOrigin(t, {
      behaviour: {
        answers: [{ status, headers: [["server", "cloudflare"]], body: `error code: ${status}` }],
      },
    });
    const good = await startOrigin(t, { name: "good" });
    const proxy = await startWorkerd(t, {
      FETCH_TARGETS: `${dead.url},${good.url}`,
      FETCH_CACHE_ADAPTER: "none",
    });
    const answer = await send(proxy.port, { method: "POST", body: "once" });
    assert.deepEqual([answer.status, answer.body.toString()], [200, "good"], String(status));
    assert.equal(good.seen[0]?.body.toString(), "once");
  }
});

test("an_origins_own_521_is_its_response", async (t) => {
  const odd = await startOrigin(t, { behaviour: { answers: [{ status: 521, body: "mine" }] } });
  const good = await startOrigin(t);
  const proxy = await startWorkerd(t, {
    FETCH_TARGETS: `${odd.url},${good.url}`,
    FETCH_CACHE_ADAPTER: "none",
  });
  const answer = await send(proxy.port, { method: "POST", body: "once" });
  assert.deepEqual([answer.status, answer.body.toString()], [521, "mine"]);
  assert.equal(good.seen.length, 0);
});

test("a_post_is_not_sent_again_after_a_reset", async (t) => {
  const reset = await startOrigin(t, { behaviour: { answers: [{ fault: "reset" }] } });
  const good = await startOrigin(t);
  const proxy = await startWorkerd(t, {
    FETCH_TARGETS: `${reset.url},${good.url}`,
    FETCH_CACHE_ADAPTER: "none",
  });
  const answer = await send(proxy.port, { method: "POST", body: "once" });
  assert.equal(answer.status, 502);
  assert.equal(good.seen.length, 0);
  assert.equal((await send(proxy.port)).status, 200);
});

test("settings_may_be_json_and_a_missing_namespace_is_reported", async (t) => {
  const origin = await startOrigin(t, { name: "a" });
  const settings = {
    FETCH_TARGETS: [origin.url],
    FETCH_RETRY_ON_5XX: false,
    FETCH_CACHE_KV_BINDING: "ELSEWHERE",
  };
  const proxy = await startProxy(t, settings);
  assert.equal((await send(proxy.port)).body.toString(), "a");
  const [line] = proxy.said.filter((said) => said.includes("bad_setting"));
  assert.match(line ?? "", /no KV namespace bound as ELSEWHERE.*kv_namespaces/);
});

test("without_targets_the_reply_says_what_to_set", async (t) => {
  const proxy = await startWorkerd(t, {});
  const answer = await send(proxy.port);
  assert.equal(answer.status, 500);
  assert.match(answer.body.toString(), /^Missing env: FETCH_TARGETS\n/);
});
