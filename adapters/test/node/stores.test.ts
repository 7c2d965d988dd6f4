/** The stores that come with the package, and the one in the examples. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createClient } from "redis";
import { fileStore } from "../../src/node/index.js";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { freePort, listen } from "../support/port.js";
import { eventually } from "../support/waiting.js";
import { Command } from "./proxy.js";

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "function-fetch-store-"));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

test("a_file_store_keeps_every_key_separate", async (t) => {
  const inside = join(folder(t), "store");
  const store = fileStore(inside);
  const keys = [
    "proxy:fastest",
    "../up",
    "..",
    ".",
    "a/b",
    "a%2Fb",
    "A*?",
    "ключ",
    "x".repeat(5_000),
  ];
  assert.equal(await store.get("proxy:fastest"), undefined);
  for (const key of keys) await store.put(key, `value of ${key}`, 60);
  for (const key of keys) assert.equal(await store.get(key), `value of ${key}`);
  await store.put("..", "another", 60);
  assert.equal(await store.get(".."), "another");
  assert.equal(readdirSync(inside).length, keys.length);
  assert.deepEqual(readdirSync(join(inside, "..")), ["store"]);
});

test("a_file_store_that_cannot_write_fails", async (t) => {
  const inside = folder(t);
  await fileStore(inside).put("a", "b", 60);
  // A file where a folder should be.
  const store = fileStore(join(inside, "a.json"));
  await assert.rejects(store.get("key"));
  await assert.rejects(store.put("key", "value", 60));
});

test("readers_see_a_whole_value_whoever_writes", async (t) => {
  const inside = folder(t);
  const store = fileStore(inside);
  const writer = `
    const { fileStore } = await import(${JSON.stringify(import.meta.resolve("../../src/node/file-store.ts"))});
    const store = fileStore(${JSON.stringify(inside)});
    const value = process.argv[1].repeat(50_000);
    for (let round = 0; round < 100; round += 1) await store.put("key", value, 60);
  `;
  const writers = ["a", "b"].map((letter) =>
    spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", writer, letter], {
      stdio: ["ignore", "ignore", "inherit"],
    }),
  );
  const ended = writers.map(
    (child) => new Promise<number | null>((resolve) => child.on("exit", resolve)),
  );
  let over = false;
  void Promise.all(ended).then(() => {
    over = true;
  });
  const seen = new Set<string>();
  while (!over) {
    const value = (await store.get("key")) ?? "";
    if (value !== "") {
      assert.equal(value.length, 50_000);
      assert.equal(value, value.charAt(0).repeat(50_000));
      seen.add(value.charAt(0));
    }
  }
  assert.deepEqual(await Promise.all(ended), [0, 0]);
  assert.deepEqual([...seen].sort(), ["a", "b"]);
  assert.deepEqual(readdirSync(inside), ["key.json"]);
});

/** The program of a Redis server, if there is one: the one in `REDIS_SERVER`, or on PATH. */
function redisServer(): string | undefined {
  const program = process.env.REDIS_SERVER ?? "redis-server";
  try {
    execFileSync(program, ["--version"], { stdio: "pipe" });
    return program;
  } catch {
    return undefined;
  }
}

async function startRedis(t: TestContext, program: string): Promise<number> {
  const port = await freePort();
  const args = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder(t)];
  const child: ChildProcess = spawn(program, args, { stdio: "ignore" });
  t.after(() => child.kill("SIGKILL"));
  await eventually("redis listens", async () => {
    const again = createServer();
    const free = await listen(again, port);
    if (free) await new Promise((resolve) => again.close(resolve));
    return !free;
  });
  return port;
}

const program = redisServer();
const skip =
  program === undefined && "no redis-server here: install it, or name it in REDIS_SERVER";

test("the_redis_store_of_the_examples_is_shared", { skip }, async (t) => {
  const redis = await startRedis(t, program ?? "");
  const url = `redis://127.0.0.1:${redis}`;
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 100 } } });
  const env = { FETCH_TARGETS: `${a.url},${b.url}`, REDIS_URL: url };
  const args = ["--store", "examples/redis-store.ts"];
  const first = Command.start(t, env, args);
  assert.equal((await send(await first.port())).body.toString(), "a");
  const client = createClient({ url });
  await client.connect();
  t.after(() => client.destroy());
  await eventually(
    "the record is in Redis",
    async () => (await client.exists("proxy:fastest")) === 1,
  );
  const ttl = await client.ttl("proxy:fastest");
  assert.ok(ttl > 0 && ttl <= 600, `it goes in ${ttl} s`);
  const second = Command.start(t, env, args);
  assert.equal((await send(await second.port())).body.toString(), "a");
  assert.deepEqual([a.probes.length, b.probes.length], [1, 1]);
});

test("a_redis_that_is_down_fails_no_request", { skip }, async (t) => {
  const origin = await startOrigin(t);
  const other = await startOrigin(t);
  const env = { FETCH_TARGETS: `${origin.url},${other.url}`, REDIS_URL: "redis://127.0.0.1:9" };
  const command = Command.start(t, env, ["--store", "examples/redis-store.ts"]);
  const port = await command.port();
  for (let round = 0; round < 3; round += 1) assert.equal((await send(port)).status, 200);
  await eventually("the operator is notified", () => command.stderr.includes("store_failed"));
});
