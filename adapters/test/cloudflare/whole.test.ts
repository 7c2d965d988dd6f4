/** Nothing is passed on in part: requests that break off, invalid responses. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { breakUploadsOff, noneIsWhole } from "../support/broken-uploads.js";
import { send } from "../support/client.js";
import { onlyValue } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { answering, startRawOrigin } from "../support/raw-origin.js";
import { eventually, sleep } from "../support/waiting.js";
import { startWorkerd } from "./proxy.js";

const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

test("a_body_that_breaks_off_at_its_beginning_never_looks_complete", async (t) => {
  const origin = await startRawOrigin(t, () => {});
  const proxy = await startWorkerd(t, {
    FETCH_TARGETS: origin.url,
    FETCH_CACHE_ADAPTER: "none",
  });
  await breakUploadsOff(proxy.port);
  await noneIsWhole(origin);
});

test("a_status_beyond_599_is_a_failed_attempt", async (t) => {
  const odd = await startRawOrigin(t, answering("HTTP/1.1 999 X\r\ncontent-length: 2\r\n\r\nno"));
  const good = await startOrigin(t);
  const proxy = await startWorkerd(t, {
    FETCH_TARGETS: `${odd.url} ${good.url}`,
    FETCH_CACHE_ADAPTER: "none",
  });
  assert.equal((await send(proxy.port)).body.toString(), "origin");
  const { status, headers } = await send(proxy.port, { method: "POST", body: "x" });
  assert.equal(status, 502);
  assert.match(onlyValue(headers, "proxy-status") ?? "", /error=http_protocol_error/);
});

test("an_unrequested_101_is_a_failed_attempt", async (t) => {
  const odd = await startRawOrigin(t, answering("HTTP/1.1 101 X\r\n\r\n"));
  const proxy = await startWorkerd(t, { FETCH_TARGETS: odd.url, FETCH_CACHE_ADAPTER: "none" });
  assert.equal((await send(proxy.port)).status, 502);
});

test("a_request_without_a_body_gets_none", async (t) => {
  const heads: string[] = [];
  const origin = await startRawOrigin(
    t,
    answering((head) => {
      heads.push(head);
      return OK;
    }),
  );
  const proxy = await startWorkerd(t, { FETCH_TARGETS: origin.url, FETCH_CACHE_ADAPTER: "none" });
  for (const method of ["OPTIONS", "DELETE", "POST", "PUT", "PATCH", "GET"]) {
    assert.equal((await send(proxy.port, { method })).status, 200);
    assert.doesNotMatch(heads.pop() ?? "", /transfer-encoding/i, method);
  }
});

test("a_probe_reads_a_short_body_to_its_end", async (t) => {
  const health = { body: "x".repeat(60_000) };
  const a = await startOrigin(t, { behaviour: { health } });
  const b = await startOrigin(t, { behaviour: { health } });
  const proxy = await startWorkerd(t, { FETCH_TARGETS: `${a.url} ${b.url}` });
  assert.equal((await send(proxy.port)).status, 200);
  await eventually("both are probed", () => a.probes.length > 0 && b.probes.length > 0);
  await sleep(300);
  assert.ok([...a.probes, ...b.probes].every(({ abandoned }) => !abandoned));
  // The request uses the connection that the probes opened.
  assert.ok(a.connections + b.connections <= 3);
});
