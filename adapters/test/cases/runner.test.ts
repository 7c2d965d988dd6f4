/** The runner of the table can fail: each wrong expectation is named, and so is each mistake in the table. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CaseHost } from "./host.js";
import { makeRecord } from "./record.js";
import { reference } from "./reference.js";
import { runCase } from "./run.js";
import { readGroup, readTable } from "./table.js";

function only(json: object) {
  const text = JSON.stringify({ group: "g", cases: [{ name: "n", why: "w", ...json }] });
  const [one] = readGroup(text, "some.json");
  if (one === undefined) throw new Error("no case was read");
  return one;
}

const run = (json: object, host: CaseHost = reference) => runCase(only(json), host);

const ask = (rest: object, request: object = {}) => ({ steps: [{ request, ...rest }] });

describe("a case that is right passes", { concurrency: true }, () => {
  it("with all that can be expected of an answer and of a request", () =>
    run({
      targets: ["{a}/base"],
      settings: { FETCH_HEALTH_PATH: "/ok" },
      upstreams: {
        a: {
          answers: [
            {
              status: 201,
              body: "of {a.authority} {{}",
              headers: { "set-cookie": ["x=1", "y=2"], "x-one": "1" },
              delay_ms: 5,
            },
            { body_bytes: 70_000, trailers: { "x-end": "1" } },
            { status: 204 },
          ],
        },
      },
      steps: [
        {
          request: {
            method: "POST",
            path: "/p?q={proxy}",
            headers: { "x-a": ["1", "2"] },
            body: "hello",
          },
          response: {
            status: 201,
            body: "of {a.authority} {{}",
            body_contains: ["of", "{{"],
            headers: {
              "set-cookie": ["x=1", "y=2"],
              "x-one": "1",
              "X-Absent": null,
              "content-length": { contains: "1" },
            },
          },
          seen: {
            a: [
              {
                method: "POST",
                path: "/base/p?q={proxy}",
                headers: { "x-a": "1, 2", "x-forwarded-for": "{client}" },
                body: "hello",
                body_bytes: 5,
              },
            ],
          },
        },
        {
          request: { method: "PUT", body_bytes: 40_000, chunked: true },
          response: { status: 200, body_bytes: 70_000 },
          seen: { a: [{ body_bytes: 40_000, headers: { "content-length": null } }] },
        },
        { request: { path: "/base/ok" }, seen: {} },
        { probes: { a: 1 } },
        { request: { method: "HEAD" }, response: { status: 204, body: "" } },
      ],
    }));

  it("with answers that break, ports that refuse and come back", () =>
    run({
      targets: ["{a}"],
      upstreams: { a: { answers: [{ fault: "short" }, { fault: "garbage" }, { fault: "reset" }] } },
      steps: [
        { request: {}, response: { status: 200, broken: true, body_contains: "ten" } },
        { request: {}, response: { status: 502 }, seen: { a: [{}] } },
        { request: {}, response: { status: 502 }, seen: { a: [{}] } },
        { upstreams: { a: { dead: true } } },
        { request: {}, response: { status: 502 }, seen: {} },
        { upstreams: { a: {} } },
        { request: {}, response: { status: 200, body: "a" }, seen: { a: [{}] } },
      ],
    }));

  it("with a store", () =>
    run({
      upstreams: { a: {}, b: {} },
      store: { record: { primary: "b", ms: { a: 7 } } },
      store_after: { primary: "b" },
      ...ask({}),
    }));

  it("with what another host does, and not this one", () =>
    run({
      except: { "workers, esa": { why: "it is so", steps: [{ sleep_ms: 60_000 }] } },
      ...ask({ response: { body: "a" } }),
    }));
});

describe("a wrong expectation is named", { concurrency: true }, () => {
  const wrong: [string, object, RegExp][] = [
    ["a status", ask({ response: { status: 201 } }), /step 1: its status is 200, not 201/],
    ["a body", ask({ response: { body: "b" } }), /its body is "a", not "b"/],
    ["a part of a body", ask({ response: { body_contains: "b" } }), /its body has no "b" in it/],
    ["a body's length", ask({ response: { body_bytes: 2 } }), /its body's length is 1, not 2/],
    [
      "a header",
      ask({ response: { headers: { "content-length": "2" } } }),
      /its content-length is \["1"\], not "2"/,
    ],
    [
      "a header that is missing",
      ask({ response: { headers: { "x-a": "" } } }),
      /its x-a is \[\], not ""/,
    ],
    [
      "a header too many",
      ask({ response: { headers: { date: null } } }),
      /its date is .*, not absent/,
    ],
    [
      "a part of a header",
      ask({ response: { headers: { date: { contains: "?" } } } }),
      /containing "\?"/,
    ],
    [
      "a list of values",
      ask({ response: { headers: { date: ["1", "2"] } } }),
      /its date is .*, not \["1","2"\]/,
    ],
    [
      "a body that does not break",
      ask({ response: { broken: true } }),
      /its body came to a proper end/,
    ],
    [
      "a body that breaks",
      { upstreams: { a: { answers: [{ fault: "short" }] } }, ...ask({ response: {} }) },
      /its body was broken off/,
    ],
    ["a request that was not to be", ask({ seen: {} }), /a saw 1 requests, not 0: GET \//],
    ["a request that was not made", ask({ seen: { a: [{}], b: [{}] } }), /b saw 0 requests, not 1/],
    ["a path", ask({ seen: { a: [{ path: "/y" }] } }), /of GET \/, its path is \/, not \/y/],
    [
      "a request's header",
      ask({ seen: { a: [{ headers: { "x-a": "1" } }] } }),
      /its x-a is \[\], not "1"/,
    ],
    [
      "a request's body",
      ask({ seen: { a: [{ body: "no" }] } }, { body: "ho" }),
      /its body is "ho", not "no"/,
    ],
    [
      "a number of probes",
      { steps: [{ probes: { a: { at_least: 1 } } }] },
      /a was probed 0 times, not at least 1/,
    ],
    [
      "a store",
      { store_after: { primary: "b" }, store: { raw: "x" }, ...ask({}) },
      /the store's record names nothing, not "b"/,
    ],
    [
      "a store that is not empty",
      { store_after: { empty: true }, store: { raw: "x" }, ...ask({}) },
      /holds "x"/,
    ],
  ];
  for (const [what, json, message] of wrong) {
    it(what, () => assert.rejects(run(json), message));
  }

  it("a proxy that does not answer", () => {
    const mute: CaseHost = {
      ...reference,
      start: async (settings, entry) => {
        const proxy = await reference.start(settings, entry);
        await proxy.stop();
        return proxy;
      },
    };
    return assert.rejects(run(ask({}), mute), /step 1: .*ECONNREFUSED/);
  });
});

describe("a mistake in the table is named", () => {
  const mistakes: [object, RegExp][] = [
    [{ step: [], ...ask({}) }, /some\.json: n has unknown members: step/],
    [{}, /g::n has no "steps"/],
    [ask({ respons: {} }), /steps\[0\] has unknown members: respons/],
    [ask({ response: { status: "200" } }), /steps\[0\]\.response\.status must be a number/],
    [ask({ seen: { c: [] } }), /seen\.c there is no upstream "c"/],
    [{ upstreams: { A: {} }, ...ask({}) }, /upstreams\.A its name must be one lower-case letter/],
    [
      { upstreams: { a: { answers: [{ fault: "rest" }] } }, ...ask({}) },
      /fault must be one of reset, silent/,
    ],
    [
      ask({}, { path: "{c}" }),
      /steps\[0\]\.request\.path has a placeholder that means nothing here/,
    ],
    [ask({}, { path: "{" }), /has a placeholder that means nothing here/],
    [{ steps: [{ sleep: 1 }] }, /steps\[0\] is no step that there is/],
    [
      { except: { edge: { why: "w", skip: true } }, ...ask({}) },
      /names no host that there is: edge/,
    ],
    [{ except: { esa: { why: "w" } }, ...ask({}) }, /wants a reason, and either/],
    [{ except: { esa: { why: "", skip: true } }, ...ask({}) }, /wants a reason, and either/],
    [{ except: { esa: { why: "w", steps: [{}] } }, ...ask({}) }, /is no step that there is/],
    [{ store: {}, ...ask({}) }, /store wants either "raw" or "record"/],
  ];
  for (const [json, message] of mistakes) {
    it(String(message), () => assert.throws(() => only(json), message));
  }
});

it("the whole table is sound", () => {
  assert.ok(readTable().length >= 120);
});

it("a record is what the engine makes of the same facts", () => {
  const targets = [
    { url: "https://a.com", upstream: "a" },
    { url: "https://b.com", upstream: "b" },
  ];
  const plan = { age: 1000, primary: "b", ms: new Map([["a", 5]]), n: new Map() };
  const { hash, ...rest } = JSON.parse(makeRecord(plan, targets, "/", 5000)) as { hash: string };
  assert.deepEqual(rest, { v: 1, at: 4000, primary: 1, targets: [{ ms: 5, n: 3 }, {}] });
  // As FNV-1a has it, 32 bits, over "/\nhttps://a.com\nhttps://b.com".
  assert.equal(hash, "ba834077");
});
