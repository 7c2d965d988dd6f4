/** Function Fetch on ESA: the file that is pasted into its console, in a strict stand-in for its runtime. */

import { type Runtime, startDouble } from "../esa/double.js";
import type { CaseHost, RunningProxy } from "./host.js";

const NAMESPACE = "function-fetch";

/** ESA fetches by name only, and by the scheme's own port. */
const NAME = /\bupstream-(\d+)\.test\b/g;

export function esa(name: string, runtime: Runtime): CaseHost {
  return {
    name,
    store: "edge-kv",
    client: "127.0.0.1",
    atOnce: 3,
    measuredAtOnce: 1,
    added: [],
    authority: (port) => `upstream-${port}.test`,
    start: async (settings, entry): Promise<RunningProxy> => {
      const named = settings.get("FETCH_TARGETS")?.matchAll(NAME) ?? [];
      const namespace = settings.get("ESA_KV_NAMESPACE") ?? NAMESPACE;
      const double = await startDouble({
        runtime,
        env: { ESA_KV_NAMESPACE: namespace, ...Object.fromEntries(settings) },
        kv: { namespace, entries: entry === undefined ? {} : { [entry.key]: entry.value } },
        names: Object.fromEntries(Array.from(named, ([host, port]) => [host, Number(port)])),
        unreachable: "status",
      });
      return {
        port: double.port,
        said: double.said,
        read: (key) => double.stored(key),
        stop: () => double.close(),
      };
    },
  };
}
