/** Routing and failover on the runtime's `fetch`. */

import assert from "node:assert/strict";
import { breakUploadsOff, noneIsWhole } from "../support/broken-uploads.js";
import { certificate } from "../support/certificate.js";
import { send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { answering, startRawOrigin } from "../support/raw-origin.js";
import { eventually } from "../support/waiting.js";
import { inEach, proxyTo } from "./scene.js";

inEach("the_fastest_target_gets_the_traffic", async (t, runtime) => {
  const slow = await startOrigin(t, { name: "slow", behaviour: { health: { delay: 300 } } });
  const fast = await startOrigin(t, { name: "fast" });
  const proxy = await proxyTo(t, runtime, [slow, fast]);
  assert.equal((await send(proxy.port)).body.toString(), "fast");
});

inEach("a_post_goes_on_from_a_target_that_refuses_connections", async (t, runtime) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, runtime, [dead, origin], { cacheAdapter: "none" });
  const { status, body } = await send(proxy.port, { method: "POST", body: "once" });
  assert.deepEqual([status, body.toString()], [200, "origin"]);
  assert.equal(origin.seen[0]?.body.toString(), "once");
});

inEach("a_post_goes_on_from_a_certificate_that_is_not_trusted", async (t, runtime) => {
  const secure = await startOrigin(t, { certificate: certificate() });
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, runtime, [secure, origin], { cacheAdapter: "none" });
  const { status } = await send(proxy.port, { method: "POST", body: "once" });
  assert.equal(status, 200);
  assert.deepEqual([secure.seen.length, origin.seen.length], [0, 1]);
});

inEach("a_post_is_never_sent_twice_but_a_get_is_retried", async (t, runtime) => {
  const broken = await startOrigin(t, { behaviour: { answers: [{ fault: "reset" }] } });
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, runtime, [broken, origin], { cacheAdapter: "none" });
  const posted = await send(proxy.port, { method: "POST", body: "once" });
  assert.equal(posted.status, 502);
  assert.equal(origin.seen.length, 0);
  const got = await send(proxy.port);
  assert.deepEqual([got.status, got.body.toString()], [200, "origin"]);
});

inEach("a_503_is_tried_elsewhere", async (t, runtime) => {
  const failing = await startOrigin(t, { behaviour: { answers: [{ status: 503 }] } });
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, runtime, [failing, origin], {
    cacheAdapter: "none",
    explain: true,
  });
  const { status, headers } = await send(proxy.port);
  assert.equal(status, 200);
  assert.match(onlyValue(headers, "proxy-status") ?? "", new RegExp(origin.authority));
});

inEach("a_status_that_cannot_be_passed_on_is_tried_elsewhere", async (t, runtime) => {
  const origin = await startOrigin(t);
  for (const head of [
    "101 Switching\r\nupgrade: x\r\nconnection: upgrade",
    "600 Six\r\ncontent-length: 0",
  ]) {
    const odd = await startRawOrigin(t, answering(`HTTP/1.1 ${head}\r\n\r\n`));
    const proxy = await proxyTo(t, runtime, [], {
      targets: [odd.url, origin.url],
      cacheAdapter: "none",
    });
    const { status, body } = await send(proxy.port);
    assert.deepEqual([status, body.toString()], [200, "origin"], head);
    assert.equal(odd.connections.length, 1);
  }
});

inEach("a_body_that_breaks_off_never_looks_complete", async (t, runtime) => {
  const origin = await startRawOrigin(t, () => {});
  const targets = [origin.url];
  const proxy = await proxyTo(t, runtime, [], { targets });
  // Deno closes a connection whose request is malformed.
  await breakUploadsOff(proxy.port, runtime === "deno");
  await noneIsWhole(origin);
});

inEach("without_targets_the_client_gets_the_reason", async (t, runtime) => {
  const proxy = await proxyTo(t, runtime, []);
  const { status, body } = await send(proxy.port);
  assert.equal(status, 500);
  assert.match(body.toString(), /env: FETCH_TARGETS/);
});

inEach("hooks_see_and_change_requests_and_responses", async (t, runtime) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, runtime, [origin], { hooks: true });
  const { headers } = await send(proxy.port, { method: "POST", path: "/old/x?y", body: "12345" });
  assert.equal(onlyValue(headers, "x-served-by"), origin.url);
  const [seen] = origin.seen;
  assert.equal(seen?.path, "/new/x?y");
  assert.equal(seen?.body.toString(), "12345");
  assert.equal(onlyValue(seen?.headers ?? [], "x-added"), "POST for 127.0.0.1");

  const own = await send(proxy.port, { path: "/forbidden" });
  assert.deepEqual([own.status, own.body.toString()], [403, "no"]);
  assert.deepEqual(valuesOf(own.headers, "x-served-by"), []);
  assert.equal(origin.seen.length, 1);

  const broken = await send(proxy.port, { path: "/broken" });
  assert.equal(broken.status, 502);
  const reason = await eventually("the operator is told", () =>
    proxy.said.find((event) => event.event === "error"),
  );
  assert.match(JSON.stringify(reason), /the hook is broken/);
});

inEach("the_status_is_for_whoever_has_the_token_and_never_reaches_a_target", async (t, runtime) => {
  const origin = await startOrigin(t);
  const token = "a token of the operators";
  const proxy = await proxyTo(t, runtime, [origin], {
    statusPath: "/status",
    statusToken: token,
    cacheAdapter: "none",
  });
  const headers = [
    ["accept", "application/json"],
    ["authorization", `Bearer ${token}`],
  ] as const;
  const told = await send(proxy.port, { path: "/status", headers });
  assert.equal(told.status, 200);
  assert.equal(JSON.parse(told.body.toString()).targets.length, 1);
  assert.equal((await send(proxy.port, { path: "/status" })).status, 401);
  assert.deepEqual(
    origin.seen.filter(({ path }) => path === "/status"),
    [],
  );
});
