/** Under which key a host's store holds the record: the engine makes it legal for each kind of store. */

import { instantiate } from "../../src/engine/node.js";
import type { CaseHost, Settings } from "./host.js";

export function cacheKey(settings: Settings, store: CaseHost["store"]): string {
  return instantiate().configure([...settings], { store }, 0).cacheKey;
}
