/** The same as in crates/component/src/notice.rs. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { noticeLine } from "../../src/driver/notice.js";
import type { Notice } from "../../src/engine/interface.js";

const CASES: readonly (readonly [notice: Notice, line: string])[] = [
  [
    { tag: "primary-changed", val: { from: "http://a", to: "http://b", reason: "failover" } },
    '"event":"primary_changed","from":"http://a","to":"http://b","reason":"failover"}',
  ],
  [
    { tag: "primary-changed", val: { from: undefined, to: "http://b", reason: "probed" } },
    '"event":"primary_changed","to":"http://b","reason":"probed"}',
  ],
  [
    { tag: "ejected", val: { target: "http://a", reason: "status 503", forMs: 1000 } },
    '"event":"ejected","target":"http://a","reason":"status 503","for_ms":1000}',
  ],
  [{ tag: "recovered", val: "http://a" }, '"event":"recovered","target":"http://a"}'],
  [{ tag: "no-healthy-target" }, '"event":"no_healthy_target"}'],
  [
    { tag: "denied", val: { target: "http://a", remedy: "allow it" } },
    '"event":"denied","target":"http://a","remedy":"allow it"}',
  ],
  [
    { tag: "health-path-cached", val: { target: "http://a", remedy: "exempt it" } },
    '"event":"health_path_cached","target":"http://a","remedy":"exempt it"}',
  ],
  [{ tag: "store-failed", val: "read" }, '"event":"store_failed","operation":"read"}'],
  [
    { tag: "bad-setting", val: { setting: "FETCH_EXPLAIN", reason: '"\n\u0001" is neither' } },
    String.raw`"event":"bad_setting","setting":"FETCH_EXPLAIN","reason":"\"\n\u0001\" is neither"}`,
  ],
];

test("a_notice_is_one_line_of_json", () => {
  for (const [notice, line] of CASES) {
    assert.equal(noticeLine(notice), `{"source":"function-fetch",${line}`);
  }
});
