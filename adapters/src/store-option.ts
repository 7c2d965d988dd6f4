/** The store for the shared decision (L2), as an option. */

import type { Store } from "./driver/platform.js";

/** A store that the user provides. Either method may fail, or be slow. */
export interface StoreOption {
  get(key: string): Promise<string | null | undefined>;
  /** `ttlSeconds`: how long the value can be of use. */
  put(key: string, value: string, ttlSeconds: number): Promise<unknown>;
}

export function storeOf(store: StoreOption | undefined): Store | undefined {
  if (store === undefined) return undefined;
  if (typeof store.get !== "function" || typeof store.put !== "function") {
    throw new TypeError("the option `store` needs the methods `get` and `put`");
  }
  return {
    get: (key) => store.get(key),
    put: async (key, value, ttlSeconds) => {
      await store.put(key, value, ttlSeconds);
    },
  };
}
