/** Which failure an attempt without a response is. */

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { test } from "node:test";
import { failureOf } from "../../src/node/failures.js";
import { certificate } from "../support/certificate.js";
import { send } from "../support/client.js";
import { onlyValue } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { listenAnywhere } from "../support/port.js";
import { proxyTo, startProxy } from "./proxy.js";

const failed = (code: string) => Object.assign(new Error(code), { code });

test("nothing_was_sent_while_connecting", () => {
  const cases = {
    ECONNREFUSED: "connection-refused",
    ECONNRESET: "connection-refused",
    ENOTFOUND: "dns-error",
    EAI_AGAIN: "dns-error",
    ETIMEDOUT: "connection-timeout",
    UND_ERR_CONNECT_TIMEOUT: "connection-timeout",
    EHOSTUNREACH: "destination-unavailable",
    ENETUNREACH: "destination-unavailable",
    EMFILE: "connection-limit-reached",
    SOMETHING_NEW: "destination-unavailable",
  };
  for (const [code, failure] of Object.entries(cases)) {
    assert.equal(failureOf(failed(code), false, false), failure, code);
  }
});

test("tls_failures_distinguish_certificates_from_the_protocol", () => {
  const cases = {
    DEPTH_ZERO_SELF_SIGNED_CERT: "tls-certificate-error",
    CERT_HAS_EXPIRED: "tls-certificate-error",
    UNABLE_TO_VERIFY_LEAF_SIGNATURE: "tls-certificate-error",
    ERR_TLS_CERT_ALTNAME_INVALID: "tls-certificate-error",
    ERR_SSL_WRONG_VERSION_NUMBER: "tls-protocol-error",
    EPROTO: "tls-protocol-error",
    // The handshake was cut off; a port that refuses is still a refusal.
    ECONNRESET: "tls-protocol-error",
    UND_ERR_SOCKET: "tls-protocol-error",
    ECONNREFUSED: "connection-refused",
  };
  for (const [code, failure] of Object.entries(cases)) {
    assert.equal(failureOf(failed(code), false, true), failure, code);
  }
});

test("once_connected_the_request_may_have_arrived", () => {
  const cases = {
    ECONNRESET: "connection-terminated",
    EPIPE: "connection-terminated",
    UND_ERR_SOCKET: "connection-terminated",
    ETIMEDOUT: "connection-terminated",
    DEPTH_ZERO_SELF_SIGNED_CERT: "connection-terminated",
    HPE_INVALID_CONSTANT: "http-protocol-error",
    UND_ERR_HEADERS_OVERFLOW: "http-response-header-section-size",
    HPE_HEADER_OVERFLOW: "http-response-header-section-size",
    UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "http-response-incomplete",
    SOMETHING_NEW: "connection-terminated",
  };
  for (const [code, failure] of Object.entries(cases)) {
    assert.equal(failureOf(failed(code), true, true), failure, code);
  }
});

test("a_thrown_value_that_is_not_an_error_is_still_a_failure", () => {
  for (const thrown of [undefined, null, "text", {}, { code: 7 }]) {
    assert.equal(failureOf(thrown, false, false), "destination-unavailable");
    assert.equal(failureOf(thrown, true, false), "connection-terminated");
  }
});

/** The `error` of the only field `proxy-status`, of a POST to the proxy. */
async function errorOf(port: number): Promise<string> {
  const { status, headers } = await send(port, { method: "POST", body: "x" });
  const proxyStatus = onlyValue(headers, "proxy-status") ?? "";
  return `${status} ${proxyStatus.replace("function-fetch; error=", "")}`;
}

test("real_failures_are_distinguished", async (t) => {
  const tls = await startOrigin(t, { certificate: certificate() });
  const plain = await startOrigin(t);
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const reset = await startOrigin(t, { behaviour: { answers: [{ fault: "reset" }] } });
  const garbage = await startOrigin(t, { behaviour: { answers: [{ fault: "garbage" }] } });
  const hangingUp = createServer((socket) => socket.on("error", () => {}).end());
  const hangsUp = await listenAnywhere(hangingUp);
  t.after(() => hangingUp.close());
  const cases = [
    [dead.url, "502 connection_refused"],
    ["http://does-not-exist.invalid", "502 dns_error"],
    [tls.url, "502 tls_certificate_error"],
    [plain.url.replace("http:", "https:"), "502 tls_protocol_error"],
    [`https://127.0.0.1:${hangsUp}`, "502 tls_protocol_error"],
    [reset.url, "502 connection_terminated"],
    [garbage.url, "502 http_protocol_error"],
  ] as const;
  for (const [target, wanted] of cases) {
    const env = { FETCH_TARGETS: target, FETCH_CACHE_ADAPTER: "none" };
    const proxy = await startProxy(t, { env });
    assert.equal(await errorOf(proxy.port), wanted, target);
  }
});

test("a_connection_that_is_never_established_times_out", async (t) => {
  // TCP connects, but the other side does not speak TLS.
  const silent = createServer((socket) => socket.on("error", () => {}));
  const port = await listenAnywhere(silent);
  t.after(() => silent.close());
  const env = {
    FETCH_TARGETS: `https://127.0.0.1:${port}`,
    FETCH_CACHE_ADAPTER: "none",
    FETCH_CONNECT_TIMEOUT_MS: "300",
  };
  const proxy = await startProxy(t, { env });
  const before = performance.now();
  assert.equal(await errorOf(proxy.port), "504 connection_timeout");
  const took = performance.now() - before;
  assert.ok(took > 200 && took < 5_000, `it took ${took} ms`);
});

test("a_post_fails_over_from_a_dead_target_and_is_sent_once", async (t) => {
  const dead = await startOrigin(t, { behaviour: { dead: true } });
  const origin = await startOrigin(t);
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: `${dead.url} ${origin.url}`, FETCH_CACHE_ADAPTER: "none" },
  });
  const { status } = await send(proxy.port, { method: "POST", body: "x".repeat(200_000) });
  assert.equal(status, 200);
  assert.equal(origin.seen.length, 1);
  assert.equal(origin.seen[0]?.bodyBytes, 200_000);
});

test("a_closed_pooled_connection_fails_no_request", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, origin);
  for (let round = 0; round < 5; round += 1) {
    assert.equal((await send(proxy.port, { method: "POST", body: "x" })).status, 200);
    // The same port, new connections: those in the pool are closed.
    await origin.behave({ dead: true });
    await origin.behave({});
  }
  assert.equal(origin.seen.length, 5);
});
