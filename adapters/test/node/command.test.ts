/** The command: its output, and how it stops. */

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { WebSocket, WebSocketServer } from "ws";
import { certificate } from "../support/certificate.js";
import { Conversation, send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { freePort, listenAnywhere } from "../support/port.js";
import { eventually } from "../support/waiting.js";
import { Command } from "./proxy.js";

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), "function-fetch-command-"));
  t.after(() => rmSync(made, { recursive: true }));
  return made;
}

/** An origin whose responses end when the test says so. */
async function slowOrigin(t: TestContext) {
  const ends: (() => void)[] = [];
  const origin = await startOrigin(t, {
    behaviour: {
      answers: (_request, response) => {
        response.write("begun, ");
        ends.push(() => response.end("ended"));
      },
    },
  });
  return { origin, ends };
}

test("sigterm_lets_requests_complete_and_accepts_no_more", async (t) => {
  const { origin, ends } = await slowOrigin(t);
  const command = Command.start(t, { FETCH_TARGETS: origin.url });
  const port = await command.port();
  const underWay = await Conversation.open(port);
  assert.equal((await underWay.piece())?.toString(), "begun, ");
  const idle = await Conversation.open(port);
  await eventually("the second request is under way", () => ends.length === 2);
  ends[1]?.();
  await idle.piece();
  command.process.kill("SIGTERM");
  await eventually("no connection is taken any more", () =>
    Conversation.open(port).then(
      (other) => other.wire.close(),
      () => true,
    ),
  );
  assert.equal(command.exitCode, undefined);
  ends[0]?.();
  const { body, broken } = await underWay.finish();
  assert.deepEqual([body.toString(), broken], ["ended", false]);
  assert.equal(await command.exit(), 0);
});

test("the_drain_has_a_limit", async (t) => {
  const { origin } = await slowOrigin(t);
  const command = Command.start(t, { FETCH_TARGETS: origin.url }, ["--drain-timeout", "300"]);
  const conversation = await Conversation.open(await command.port());
  await conversation.piece();
  command.process.kill("SIGTERM");
  assert.equal(await command.exit(), 0);
  assert.equal((await conversation.finish()).broken, true);
});

test("a_second_signal_stops_it_at_once", async (t) => {
  const { origin } = await slowOrigin(t);
  const command = Command.start(t, { FETCH_TARGETS: origin.url });
  const conversation = await Conversation.open(await command.port());
  await conversation.piece();
  command.process.kill("SIGINT");
  await eventually("it drains", () =>
    Conversation.open(Number(/:(\d+)$/m.exec(command.stdout)?.[1])).then(
      (other) => other.wire.close(),
      () => true,
    ),
  );
  command.process.kill("SIGINT");
  assert.equal(await command.exit(), 130);
});

test("websockets_pass_and_do_not_delay_the_shutdown", async (t) => {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket) => socket.send("hello"));
  t.after(() => server.close());
  await eventually("the echo listens", () => server.address() !== null);
  const address = server.address();
  const echo = typeof address === "object" ? address?.port : undefined;
  const command = Command.start(t, { FETCH_TARGETS: `http://127.0.0.1:${echo}` });
  const socket = new WebSocket(`ws://127.0.0.1:${await command.port()}/`);
  socket.on("error", () => {});
  const heard = await new Promise((resolve) => socket.once("message", resolve));
  assert.equal(String(heard), "hello");
  command.process.kill("SIGTERM");
  assert.equal(await command.exit(), 0);
});

test("without_targets_it_serves_the_reason", async (t) => {
  const command = Command.start(t, {});
  const { status, body } = await send(await command.port());
  assert.equal(status, 500);
  assert.match(body.toString(), /^Missing env: FETCH_TARGETS/);
  // The operator sees it at start, before any request.
  assert.match(command.stderr, /"event":"no_targets".*set FETCH_TARGETS/);
});

test("errors_name_the_remedy", async (t) => {
  const taken = createServer();
  const port = await listenAnywhere(taken);
  t.after(() => taken.close());
  const cases: [NodeJS.ProcessEnv, string[], RegExp][] = [
    [
      { PORT: String(port), HOST: "127.0.0.1" },
      [],
      /port \d+ of 127\.0\.0\.1 is in use: choose another one/,
    ],
    [{ PORT: "http" }, [], /PORT=http: write a whole number from 0 to 65535/],
    [{ PORT: "70000" }, [], /PORT=70000: write a whole number/],
    [{}, ["--port", "70000"], /--port 70000: write a whole number/],
    [
      { HOST: "192.0.2.1" },
      [],
      /192\.0\.2\.1 is not an address of this machine: .* --host or HOST/,
    ],
    [{}, ["serve"], /serve is not the address of a target: write http:\/\/ or https:\/\//],
    [{}, ["a.example:80"], /a\.example:80 is not the address of a target/],
    [{}, ["--drain-timeout", "soon"], /--drain-timeout soon: write a time with a unit, such as/],
    [{}, ["--client-idle-timeout", "0"], /--client-idle-timeout 0: write a time above zero/],
    [{}, ["--client-body-timeout", "25d"], /--client-body-timeout 25d: write a time above zero/],
    [{}, ["--client-write-timeout", "9999h"], /--client-write-timeout 9999h: .* up to 24 days/],
    [{}, ["--max-header-bytes", "64k"], /--max-header-bytes 64k: write a whole number, at least 1/],
    [{}, ["--max-connections", "0"], /--max-connections 0: write a whole number, at least 1/],
    [{}, ["--frobnicate"], /Unknown option '--frobnicate'[\s\S]*function-fetch --help/],
    [{}, ["--store", "file:"], /--store file: needs a folder/],
    [{}, ["--store", "./no-such-store.js"], /--store \.\/no-such-store\.js: Cannot find module/],
  ];
  await Promise.all(
    cases.map(async ([env, args, message]) => {
      const command = Command.start(t, env, args);
      assert.equal(await command.exit(), 2);
      assert.match(command.stderr, message);
      assert.equal(command.stdout, "");
    }),
  );
});

test("help_and_version_are_printed", async (t) => {
  const help = Command.start(t, {}, ["--help"]);
  const version = Command.start(t, {}, ["--version"]);
  assert.equal(await help.exit(), 0);
  assert.match(help.stdout, /^Usage: function-fetch \[OPTIONS\] \[TARGET\]\.\.\.$/m);
  assert.equal(await version.exit(), 0);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test("check_names_every_problem", async (t) => {
  const good = Command.start(t, { FETCH_TARGETS: "https://a.example/base" }, ["--check"]);
  assert.equal(await good.exit(), 0);
  assert.equal(good.stdout, "Targets:\n  https://a.example/base\nNo problems\n");
  const preferred = '["https://a.example", {"url": "https://b.example", "tier": 2, "weight": 3}]';
  const listed = Command.start(t, { FETCH_TARGETS: preferred }, ["--check"]);
  assert.equal(await listed.exit(), 0);
  assert.match(
    listed.stdout,
    /^ {2}https:\/\/a\.example\n {2}https:\/\/b\.example \(tier 2, weight 3\)$/m,
  );
  const bad = Command.start(
    t,
    { FETCH_TARGETS: "ftp://a.example", FETCH_MAX_ATTEMPTS: "0", FETCH_HEALTHPATH: "/" },
    ["--check"],
  );
  assert.equal(await bad.exit(), 1);
  assert.match(bad.stdout, /^Invalid env: FETCH_TARGETS$/m);
  assert.match(bad.stdout, /^FETCH_MAX_ATTEMPTS: /m);
  assert.match(bad.stdout, /^FETCH_HEALTHPATH: no such setting; remove it$/m);
  assert.match(bad.stdout, /^No usable target$/m);
});

test("arguments_say_where_it_listens_and_where_requests_go", async (t) => {
  const origin = await startOrigin(t);
  const other = await startOrigin(t, { behaviour: { dead: true } });
  const port = await freePort();
  const env = { PORT: "1", HOST: "192.0.2.1", FETCH_TARGETS: "https://unused.example" };
  const place = ["--port", String(port), "--host", "127.0.0.1"];
  const command = Command.start(t, env, [...place, other.url, origin.url]);
  assert.equal(await command.port(), port);
  assert.equal((await send(port)).body.toString(), "origin");
  const checked = Command.start(t, env, ["--check", "https://a.example", "https://b.example/base"]);
  assert.equal(await checked.exit(), 0);
  assert.match(checked.stdout, /^ {2}https:\/\/a\.example\n {2}https:\/\/b\.example\/base$/m);
});

test("a_file_store_is_shared_among_processes", async (t) => {
  const a = await startOrigin(t, { name: "a" });
  const b = await startOrigin(t, { name: "b", behaviour: { health: { delay: 100 } } });
  const env = { FETCH_TARGETS: `${a.url},${b.url}` };
  const args = ["--store", `file:${join(folder(t), "made", "on", "demand")}`];
  const first = Command.start(t, env, args);
  assert.equal((await send(await first.port())).body.toString(), "a");
  await eventually("both are measured", () => a.probes.length === 1 && b.probes.length === 1);
  first.process.kill("SIGTERM");
  // It ends when the record is written.
  assert.equal(await first.exit(), 0);
  const second = Command.start(t, env, args);
  assert.equal((await send(await second.port())).body.toString(), "a");
  assert.deepEqual([a.probes.length, b.probes.length], [1, 1]);
});

test("a_module_can_provide_the_store", async (t) => {
  const origin = await startOrigin(t);
  const other = await startOrigin(t);
  const module = join(folder(t), "store.mjs");
  writeFileSync(
    module,
    `export default {
       async get(key) { console.log("get " + key); },
       async put(key, value, ttl) { console.log("put " + key + " for " + ttl); },
     };`,
  );
  const env = { FETCH_TARGETS: `${origin.url},${other.url}`, FETCH_CACHE_KEY: "the-key" };
  const command = Command.start(t, env, ["--store", module]);
  await send(await command.port());
  await eventually("it reads", () => command.stdout.includes("get the-key"));
  await eventually("it writes", () => /put the-key for \d+/.test(command.stdout));
  const broken = join(folder(t), "broken.mjs");
  writeFileSync(broken, "export default { get() {} };");
  const refused = Command.start(t, env, ["--store", broken]);
  assert.equal(await refused.exit(), 2);
  assert.match(refused.stderr, /its default export has no methods get and put/);
});

test("a_private_authority_is_trusted_where_node_is_told_of_it_and_nowhere_else", async (t) => {
  const made = certificate();
  const origin = await startOrigin(t, { certificate: made });
  const file = join(folder(t), "authority.pem");
  writeFileSync(file, made.cert);
  const env = { FETCH_TARGETS: origin.url };
  const strict = Command.start(t, env);
  const told = Command.start(t, { ...env, NODE_EXTRA_CA_CERTS: file });
  assert.equal((await send(await strict.port())).status, 502);
  assert.equal((await send(await told.port())).status, 200);
});
