/** What a request costs, and how a store can fail. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Store } from "../../src/node/index.js";
import { Conversation, send } from "../support/client.js";
import { onlyValue, valuesOf } from "../support/fields.js";
import { startOrigin } from "../support/origin.js";
import { eventually, within } from "../support/waiting.js";
import { proxyTo, startProxy } from "./proxy.js";

/** A store in memory that counts. */
class Counting implements Store {
  readonly kept = new Map<string, string>();
  reads = 0;
  writes = 0;

  async get(key: string): Promise<string | undefined> {
    this.reads += 1;
    return this.kept.get(key);
  }

  async put(key: string, value: string): Promise<void> {
    this.writes += 1;
    this.kept.set(key, value);
  }
}

test("fifty_cold_requests_are_one_round", async (t) => {
  const a = await startOrigin(t, { name: "a", behaviour: { health: { delay: 50 } } });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 300 } } });
  const store = new Counting();
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: `${a.url},${b.url}` }, store });
  const answers = await Promise.all(Array.from({ length: 50 }, () => send(proxy.port)));
  assert.deepEqual([...new Set(answers.map(({ body }) => body.toString()))], ["a"]);
  await eventually("the round is over and written", () => store.writes === 1);
  assert.deepEqual([a.probes.length, b.probes.length], [1, 1]);
});

test("five_hundred_warm_requests_are_one_write_at_most_and_no_probe", async (t) => {
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 200 } } });
  const store = new Counting();
  const proxy = await startProxy(t, { env: { FETCH_TARGETS: `${a.url},${b.url}` }, store });
  await send(proxy.port);
  await eventually("the round is over and written", () => store.writes === 1);
  const probes = a.probes.length + b.probes.length;
  for (let hundred = 0; hundred < 5; hundred += 1) {
    await Promise.all(Array.from({ length: 100 }, () => send(proxy.port)));
  }
  assert.equal(a.seen.length, 501);
  assert.ok(store.writes <= 2, `${store.writes} writes`);
  assert.equal(a.probes.length + b.probes.length, probes);
});

test("a_store_that_misbehaves_changes_speed_never_correctness", async (t) => {
  const never = () => new Promise<never>(() => {});
  const rejecting = async () => {
    throw new Error("the store is down");
  };
  const throwing = () => {
    throw new Error("the store is broken");
  };
  const stores: Record<string, Store> = {
    rejecting: { get: rejecting, put: rejecting },
    throwing: { get: throwing, put: throwing },
    hanging: { get: never, put: never },
    garbage: { get: async () => "\u0000{garbage", put: async () => {} },
    other: { get: async () => ({ not: "text" }) as never, put: async () => {} },
    huge: { get: async () => "x".repeat(10_000_000), put: async () => {} },
  };
  for (const [name, store] of Object.entries(stores)) {
    const [a, b] = [await startOrigin(t), await startOrigin(t)];
    const proxy = await startProxy(t, { env: { FETCH_TARGETS: `${a.url},${b.url}` }, store });
    for (let round = 0; round < 3; round += 1) {
      assert.equal((await send(proxy.port)).status, 200, name);
    }
    const notices = proxy.said.filter((line) => line.includes("store_failed"));
    const fails = ["rejecting", "throwing", "hanging"].includes(name);
    assert.equal(notices.length > 0, fails, `${name}: ${proxy.said.join("\n")}`);
  }
});

test("two_handlers_in_one_process_are_independent", async (t) => {
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b" });
  const first = await proxyTo(t, a, { FETCH_EXPLAIN: "true" });
  const second = await proxyTo(t, b);
  for (let round = 0; round < 3; round += 1) {
    const one = await send(first.port);
    const other = await send(second.port);
    assert.deepEqual([one.body.toString(), other.body.toString()], ["a", "b"]);
    assert.match(onlyValue(one.headers, "proxy-status") ?? "", /^function-fetch; next-hop=/);
    assert.match(onlyValue(one.headers, "server-timing") ?? "", /^function-fetch;dur=/);
    assert.equal(onlyValue(other.headers, "proxy-status"), undefined);
  }
});

test("the_option_env_overrides_the_environment", async (t) => {
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b" });
  process.env.FETCH_TARGETS = a.url;
  t.after(() => delete process.env.FETCH_TARGETS);
  const fromEnvironment = await startProxy(t, {});
  const given = await startProxy(t, { env: { FETCH_TARGETS: b.url } });
  assert.equal((await send(fromEnvironment.port)).body.toString(), "a");
  assert.equal((await send(given.port)).body.toString(), "b");
});

test("a_store_without_its_methods_is_refused_by_name", () => {
  const broken = { get: async () => undefined } as unknown as Store;
  const made = import("../../src/node/index.js").then(({ createNodeHandler }) =>
    createNodeHandler({ env: { FETCH_TARGETS: "http://a.example" }, store: broken }),
  );
  return assert.rejects(made, /the option `store` needs the methods `get` and `put`/);
});

test("the_rest_of_a_body_is_not_a_request", async (t) => {
  const origin = await startOrigin(t, {
    behaviour: { answers: [{ status: 413, body: "no", readBody: false }, { body: "yes" }] },
  });
  const proxy = await proxyTo(t, origin);
  const conversation = await Conversation.open(proxy.port, {
    method: "POST",
    headers: [["content-length", "300000"]],
  });
  await conversation.wire.write("G");
  // The response comes before its body is sent, and that is the end of the
  // connection.
  const head = await conversation.head();
  assert.deepEqual([head.status, onlyValue(head.headers, "connection")], [413, "close"]);
  await conversation.wire.write(Buffer.alloc(299_999, "ET / HTTP/1.1\r\n\r\nG"));
  await conversation.wire.write("GET /second HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  const { body, broken } = await within(10_000, "the answer ends", conversation.finish());
  assert.deepEqual([body.toString(), broken], ["no", false]);
  assert.deepEqual(
    origin.seen.map(({ path }) => path),
    ["/"],
  );
});

test("an_absolute_form_target_does_not_choose_the_upstream", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await proxyTo(t, origin);
  for (const path of ["http://evil.example/x", "HTTPS://u:p@evil.example/x", "//evil.example/x"]) {
    assert.equal((await send(proxy.port, { path })).status, 200, path);
  }
  assert.deepEqual(
    origin.seen.map(({ path, headers }) => [path, ...valuesOf(headers, "x-forwarded-host")]),
    [
      ["/x", "evil.example"],
      ["/x", "evil.example"],
      ["//evil.example/x", `127.0.0.1:${proxy.port}`],
    ],
  );
});

test("a_hedged_request_is_answered_by_the_faster_and_the_slower_is_cancelled", async (t) => {
  const slow = await startOrigin(t, {
    name: "slow",
    behaviour: { answers: [{ fault: "silent" }] },
  });
  const fast = await startOrigin(t, { name: "fast", behaviour: { health: { delay: 200 } } });
  const proxy = await startProxy(t, {
    env: { FETCH_TARGETS: `${slow.url},${fast.url}`, FETCH_HEDGE_MS: "50" },
  });
  assert.equal((await send(proxy.port)).body.toString(), "fast");
  await eventually("the loser is cancelled", () => slow.seen[0]?.abandoned);
});
