/** How JavaScript hosts read a stored value: like Rust hosts, which use the same file. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { decode, encode } from "../../src/driver/record.js";
import type { Stored } from "../../src/engine/interface.js";

interface Value {
  readonly name: string;
  readonly value: string;
  /** How many spaces come before the value. */
  readonly spaces?: number;
  /** `nothing` is an empty string. */
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

test("every_host_reads_a_stored_value_alike", () => {
  assert.ok(VALUES.length > 50);
  for (const { name, value, spaces = 0, is } of VALUES) {
    const stored = " ".repeat(spaces) + value;
    assert.equal(kind(stored, decode(stored)), is, name);
  }
});

test("bytes_that_are_not_utf8_are_an_empty_text", () => {
  for (const value of [{}, 5, true, new Uint8Array(3), [1]]) {
    assert.deepEqual(decode(value), { tag: "text", val: "" });
  }
});

test("the_format_is_the_deployed_one", () => {
  const text = VALUES[0]?.value ?? "";
  const taken = decode(text);
  assert.ok(taken.tag === "record");
  assert.equal(encode(taken.val), text);
});
