/** Workers KV as the store for the shared decision. */

import type { Store } from "../driver/platform.js";

/** KV's shortest TTL, seconds. The record's age is in its value, so a shorter setting works all the same. */
const SHORTEST_TTL = 60;

/** KV accepts one write per key and second. */
const WRITE_INTERVAL = 1_000;

/** What this module uses of `KVNamespace`. */
export interface Namespace {
  get(key: string): Promise<string | null>;
  put(key: string, value: string, options: { expirationTtl: number }): Promise<void>;
}

export class KvStore implements Store {
  private lastWrite = Number.NEGATIVE_INFINITY;
  /** Counts the values to be written: a later one replaces an earlier one. */
  private latest = 0;

  constructor(private readonly namespace: Namespace) {}

  /** KV answers from a cache at the same place for up to a minute; the record's own age says how old it is. */
  get(key: string): Promise<string | null> {
    return this.namespace.get(key);
  }

  async put(key: string, value: string, ttlSeconds: number): Promise<void> {
    this.latest += 1;
    const mine = this.latest;
    const early = this.lastWrite + WRITE_INTERVAL - Date.now();
    if (early > 0) {
      // Each value waits within its own request: on Workers one request cannot wake another.
      await new Promise((resolve) => setTimeout(resolve, early));
      if (mine !== this.latest) return;
    }
    this.lastWrite = Date.now();
    await this.namespace.put(key, value, { expirationTtl: Math.max(SHORTEST_TTL, ttlSeconds) });
  }
}
