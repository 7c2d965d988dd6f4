/** EdgeKV as the store for the shared decision. It has no TTL: the record's time is in its value. */

import type { Store } from "../driver/platform.js";
import { type EdgeKvConstructor, edgeKv } from "./runtime.js";

/** The store of a namespace, or a problem to report when there is none. */
export function storeOf(namespace: string): { store: Store } | { problem: string } {
  if (namespace === "") {
    return {
      problem:
        "not set; the decision is kept in memory only. Make a namespace in the ESA console, " +
        "under Edge KV, and set ESA_KV_NAMESPACE to its name",
    };
  }
  const EdgeKv = edgeKv();
  if (EdgeKv === undefined) {
    return {
      problem: "this runtime has no EdgeKV; the decision is kept in memory only",
    };
  }
  return { store: new EdgeKvStore(EdgeKv, namespace) };
}

class EdgeKvStore implements Store {
  constructor(
    private readonly EdgeKv: EdgeKvConstructor,
    private readonly namespace: string,
  ) {}

  async get(key: string): Promise<string | undefined> {
    return this.open().get(key, { type: "text" });
  }

  async put(key: string, value: string): Promise<void> {
    await this.open().put(key, value);
  }

  /** For each use, since it belongs to the request that opened it. If it throws, the store has failed. */
  private open() {
    return new this.EdgeKv({ namespace: this.namespace });
  }
}
