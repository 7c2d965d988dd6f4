/** The store: read within a limit of time, written in the background. */

import type { Event } from "../engine/interface.js";
import type { Background, Store, Upload } from "./platform.js";
import { decode, encode } from "./record.js";
import type { ReverseProxy } from "./reverse-proxy.js";

type StoreEvent = Extract<Event, { tag: "store-read" | "store-failed" }>;

/** Reads the record; a store that does not answer within `timeout`, ms, has failed. */
export async function readStore(
  store: Store | undefined,
  key: string,
  timeout: number,
): Promise<StoreEvent> {
  try {
    const value = await within(timeout, () => store?.get(key));
    const empty = value === undefined || value === null;
    return { tag: "store-read", val: empty ? undefined : decode(value) };
  } catch {
    return { tag: "store-failed" };
  }
}

/** Writes the record in the background, if one is due. */
export function writeDue<Q extends Upload, A>(
  proxy: ReverseProxy<Q, A>,
  background: Background,
): void {
  const { engine, platform, configuration } = proxy;
  const write = engine.takeWrite(Date.now());
  if (write === undefined) return;
  const { record, ttlSeconds } = write;
  const put = () => platform.store?.put(configuration.cacheKey, encode(record), ttlSeconds);
  background(
    within(configuration.storeWriteTimeout, put)
      .then(
        () => true,
        () => false,
      )
      .then((well) => {
        engine.storeWritten(well);
        proxy.tell();
      }),
  );
}

/** The result of `work`; rejects if it takes longer. */
function within<T>(ms: number, work: () => Promise<T> | undefined): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
    Promise.resolve()
      .then(work)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer));
  });
}
