/** The status as JSON is what its schema says, whatever the instance has been through. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { eventually } from "../support/waiting.js";
import { startWithPage, statusJson } from "./scene.js";

const REPOSITORY = join(import.meta.dirname, "..", "..", "..");
const SCHEMA = JSON.parse(
  readFileSync(join(REPOSITORY, "status", "status.schema.json"), "utf8"),
) as object;

const matches = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(SCHEMA);

function assertMatches(status: unknown): void {
  const errors = matches(status) ? [] : matches.errors;
  assert.deepEqual(errors, [], JSON.stringify(status));
}

test("the_schema_refuses_what_is_not_a_status", async (t) => {
  const origin = await startOrigin(t);
  const proxy = await startWithPage(t, [origin.url]);
  const status = (await statusJson(proxy)) as { targets: object[]; events: object[] };
  assertMatches(status);
  for (const wrong of [
    {},
    { ...status, more: 1 },
    { ...status, at: 1.5 },
    { ...status, targets: [{ ...status.targets[0], health: "fine" }] },
    { ...status, events: [{ event: "recovered", target: "x" }] },
    { ...status, events: [{ at: 1, event: "recovered" }] },
    { ...status, warnings: [{ event: "ejected", target: "x", reason: "y", for_ms: -1 }] },
  ]) {
    assert.equal(matches(wrong), false, JSON.stringify(wrong));
  }
});

test("the_status_matches_its_schema_at_first_and_when_targets_fail_and_recover", async (t) => {
  const [first, second, third] = [await startOrigin(t), await startOrigin(t), await startOrigin(t)];
  await second.behave({ health: { delay: 30 } });
  await third.behave({ dead: true });
  const proxy = await startWithPage(t, [first.url, second.url, third.url], {
    store: { get: () => Promise.reject(new Error("down")), put: async () => {} },
    env: { FETCH_EXPLAIN: "perhaps", FETCH_SPREAD: "true" },
  });
  assertMatches(await statusJson(proxy));
  await send(proxy.port);
  const health = async () => {
    const status = (await statusJson(proxy)) as { targets: { target: string; health: string }[] };
    assertMatches(status);
    return new Map(status.targets.map(({ target, health }) => [target, health]));
  };
  await eventually(
    "the dead target is out",
    async () => (await health()).get(third.url) !== "unmeasured",
  );
  await first.behave({ answers: [{ status: 500 }] });
  await second.behave({ answers: [{ status: 200 }], health: { delay: 30 } });
  await eventually("requests convict the failing target", async () => {
    await send(proxy.port);
    return (await health()).get(first.url) === "ejected";
  });
  const status = (await statusJson(proxy)) as { warnings: { event: string }[] };
  const warned = new Set(status.warnings.map(({ event }) => event));
  assert.deepEqual(warned, new Set(["bad_setting", "store_failed"]));
});

test("without_targets_and_with_one_the_status_matches_its_schema", async (t) => {
  const none = await startWithPage(t, ["ftp://a.example"]);
  assertMatches(await statusJson(none));
  const one = await startWithPage(t, ["http://a.example"]);
  assertMatches(await statusJson(one));
});
