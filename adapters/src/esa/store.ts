/** EdgeKV as the store for the shared decision. It has no lifetimes: the time is in the value. */

import type { Store } from "../driver/platform.js";
import { type EdgeKvConstructor, edgeKv } from "./runtime.js";

/** The store of a namespace; or what to tell the operator when there is none. */
export function storeOf(namespace: string): { store: Store } | { problem: string } {
  if (namespace === "") {
    return {
      problem:
        "not set; the decision is kept in memory alone. Make a namespace in the ESA console, " +
        "under Edge KV, and set ESA_KV_NAMESPACE to its name",
    };
  }
  const constructor = edgeKv();
  if (constructor === undefined) {
    return {
      problem: "this runtime has no EdgeKV; the decision is kept in memory alone",
    };
  }
  return { store: new EdgeKvStore(constructor, namespace) };
}

class EdgeKvStore implements Store {
  constructor(
    private readonly constructor_: EdgeKvConstructor,
    private readonly namespace: string,
  ) {}

  // Opened for each use, since it belongs to the request in which it was opened. What that throws
  // is a store that fails.

  async get(key: string): Promise<string | undefined> {
    return this.open().get(key, { type: "text" });
  }

  async put(key: string, value: string): Promise<void> {
    await this.open().put(key, value);
  }

  private open() {
    return new this.constructor_({ namespace: this.namespace });
  }
}
