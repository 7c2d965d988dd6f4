/** The status page beyond `tests/cases`: what only Node.js has. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { createFetchHandler } from "../../src/node/fetch.js";
import { PATH, startWithPage, TOKEN } from "../status/scene.js";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";

test("a_web_socket_to_the_status_path_goes_to_no_target", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWithPage(t, [origin.url]);
  const { status, body } = await send(proxy.port, {
    path: PATH,
    headers: [
      ["connection", "upgrade"],
      ["upgrade", "websocket"],
      ["sec-websocket-version", "13"],
      ["sec-websocket-key", "AAAAAAAAAAAAAAAAAAAAAA=="],
    ],
  });
  assert.equal(status, 401);
  assert.match(body.toString(), /<form /);
  assert.equal(origin.seen.length, 0);
});

test("an_absolute_form_target_is_the_status_pages_by_its_path", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWithPage(t, [origin.url]);
  const { status } = await send(proxy.port, { path: `http://other.example${PATH}` });
  assert.equal(status, 401);
  assert.equal(origin.seen.length, 0);
});

test("a_form_that_does_not_come_is_not_waited_for", { timeout: 30_000 }, async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWithPage(t, [origin.url]);
  const headers = [["content-length", "100"]] as const;
  const { status } = await send(proxy.port, { method: "POST", path: PATH, headers });
  assert.equal(status, 400);
});

test("a_form_that_is_no_text_is_refused", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWithPage(t, [origin.url]);
  const body = Uint8Array.from([0x74, 0x6f, 0xff, 0xfe]);
  const { status } = await send(proxy.port, { method: "POST", path: PATH, body });
  assert.equal(status, 400);
});

test("the_fetch_handler_has_the_page_and_a_secure_cookie", async (t) => {
  const origin = await startOrigin(t);
  const env = { FETCH_TARGETS: origin.url, FETCH_STATUS_PATH: PATH, FETCH_STATUS_TOKEN: TOKEN };
  const handler = createFetchHandler({ env, log: () => {} });
  t.after(() => handler.close());
  const url = `https://shop.example${PATH}`;
  const body = new URLSearchParams({ token: TOKEN });
  const signedIn = await handler(new Request(url, { method: "POST", body }));
  assert.equal(signedIn.status, 303);
  const cookie = signedIn.headers.get("set-cookie") ?? "";
  assert.match(cookie, /; HttpOnly; SameSite=Strict; Secure$/);
  const headers = { cookie: cookie.split(";", 1)[0] ?? "" };
  const page = await handler(new Request(url, { headers }));
  assert.equal(page.status, 200);
  assert.match(await page.text(), /FETCH_STATUS_TOKEN/);
  assert.equal(origin.seen.length, 0);
});
