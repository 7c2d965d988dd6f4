/** What JavaScript hosts take a stored value for: the same as Rust hosts, which read the same file. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decode, encode } from "../../src/driver/record.js";
import type { Stored } from "../../src/engine/interface.js";

interface Value {
  readonly name: string;
  readonly value: string;
  /** So many spaces stand in front. */
  readonly spaces?: number;
  /** `nothing` is an empty text. */
  readonly is: "record" | "text" | "nothing";
}

const FILE = join(import.meta.dirname, "..", "..", "..", "tests", "stored-values.json");
const VALUES: readonly Value[] = JSON.parse(readFileSync(FILE, "utf8"));

function kind(value: string, taken: Stored): Value["is"] {
  if (taken.tag === "record") return "record";
  if (value !== "" && taken.val === "") return "nothing";
  assert.equal(taken.val, value);
  return "text";
}

test("every_host_takes_a_stored_value_alike", () => {
  assert.ok(VALUES.length > 50);
  for (const { name, value, spaces = 0, is } of VALUES) {
    const stored = " ".repeat(spaces) + value;
    assert.equal(kind(stored, decode(stored)), is, name);
  }
});

test("what_is_no_text_is_nothing", () => {
  for (const value of [{}, 5, true, new Uint8Array(3), [1]]) {
    assert.deepEqual(decode(value), { tag: "text", val: "" });
  }
});

test("what_is_deployed_writes_and_reads_the_same", () => {
  const text = VALUES[0]?.value ?? "";
  const taken = decode(text);
  assert.ok(taken.tag === "record");
  assert.equal(encode(taken.val), text);
});
