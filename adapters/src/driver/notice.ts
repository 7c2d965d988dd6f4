/** A notice as a line of JSON, the same as Rust hosts write it (`crates/component/src/notice.rs`). */

import type { Notice } from "../engine/interface.js";

export function noticeLine(notice: Notice): string {
  const event = notice.tag.replaceAll("-", "_");
  return JSON.stringify({ source: "function-fetch", event, ...members(notice) });
}

function members(notice: Notice): object {
  switch (notice.tag) {
    case "ejected": {
      const { target, reason, forMs } = notice.val;
      return { target, reason, for_ms: forMs };
    }
    case "recovered":
      return { target: notice.val };
    case "store-failed":
      return { operation: notice.val };
    case "no-healthy-target":
      return {};
    default:
      return notice.val;
  }
}
