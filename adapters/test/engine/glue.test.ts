/** The glue of the plain core says so at build time when it does not fit: what it does where it fits, `engine.test.ts` sees. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Core, glueOf } from "../../scripts/plain-glue.js";
import { parseWit } from "../../scripts/wit.js";

const wit = (body: string) => `package a:b@1.0.0;\ninterface c { ${body} }`;

/** A core that has every export but those, and takes any parameters. */
function coreWithout(...missing: string[]): Core {
  return {
    exported: (name) => (missing.includes(name) ? undefined : "$1"),
    check: () => undefined,
  };
}

test("a file of WIT is read as it is meant", () => {
  const source = wit(`
    /// What a comment says, with a } in it.
    enum hue { red, dark-blue }
    record dot { x: f64, hue: option<hue>, }
    draw: func(dots: list<tuple<string, dot>>) -> dot;
    clear: func();
  `);
  const { id, functions } = parseWit(source);
  assert.equal(id, "a:b/c@1.0.0");
  const hue = { kind: "enum", name: "hue", cases: ["red", "dark-blue"] };
  const dot = {
    kind: "record",
    name: "dot",
    fields: [
      { name: "x", type: { kind: "f64" } },
      { name: "hue", type: { kind: "option", of: hue } },
    ],
  };
  const pair = { kind: "tuple", of: [{ kind: "string" }, dot] };
  assert.deepEqual(functions, [
    { name: "draw", parameters: [{ name: "dots", type: { kind: "list", of: pair } }], result: dot },
    { name: "clear", parameters: [], result: undefined },
  ]);
});

for (const [what, body] of [
  ["another kind of type", "flags f { a, b }"],
  ["an unknown type", "f: func(a: s64);"],
  ["a type that comes later", "f: func(a: r); record r { a: u32 }"],
  ["a file that is cut off", "record r { a: u32"],
] as const) {
  test(`${what} is refused`, () => {
    assert.throws(() => parseWit(wit(body)), /WIT/);
  });
}

test("a function that the core has not is named", () => {
  const name = "a:b/c@1.0.0#f";
  const make = () => glueOf(parseWit(wit("f: func();")), coreWithout(name));
  assert.throws(make, { message: `the core has no ${name}` });
});

test("a number that would go over as a 64-bit integer is refused", () => {
  const mixed = wit("variant v { a(f64), b(string) } f: func(a: v);");
  assert.throws(() => glueOf(parseWit(mixed), coreWithout()), /i64/);
});
