/** What is wrong with the settings, for tools that do nothing but look. */

import { noticeLine } from "../driver/notice.js";
import type { Engine, Notice } from "./interface.js";

/**
 * A sentence for each problem of an engine that was just configured, and why
 * there is no target, if it `wantsTargets`.
 */
export function problemsOf(engine: Engine, wantsTargets = true): string[] {
  const { state, action } = engine.begin("GET", "", 0, false, 0);
  // A store might say that the operator has heard of them: this one has nothing to say.
  if (action.tag === "read-store") {
    engine.settle(state, { tag: "store-read", val: undefined }, 0);
  }
  const problems = engine.takeNotices(0).map(sentence);
  if (action.tag === "reply" && wantsTargets) {
    const lines = action.val.body.trimEnd().split("\n");
    const isNamed = problems.some((problem) => problem.startsWith("FETCH_TARGETS: "));
    // Each entry is named already, in full.
    problems.unshift(...(isNamed ? lines.slice(0, 1) : lines));
  }
  return problems;
}

/** A notice of a bad setting as a sentence, any other as its line. */
function sentence(notice: Notice): string {
  if (notice.tag !== "bad-setting") return noticeLine(notice);
  return `${notice.val.setting}: ${notice.val.reason}`;
}
