/**
 * Function Fetch on ESA: the file that is pasted into its console, in a strict stand-in for its runtime, of which the
 * argument says whether Node.js or Deno runs it.
 */

import { type Runtime, startDouble } from "../esa/double.js";
import { serve } from "./protocol.js";

const NAMESPACE = "function-fetch";

/** ESA fetches by name only, and by the scheme's own port: `tests/e2e/cases/host.rs` names the upstreams so. */
const NAME = /\bupstream-(\d+)\.test\b/g;

const runtime = process.argv[2] as Runtime;

await serve(async (settings, entries) => {
  const named = settings.FETCH_TARGETS?.matchAll(NAME) ?? [];
  const namespace = settings.ESA_KV_NAMESPACE ?? NAMESPACE;
  const double = await startDouble({
    runtime,
    env: { ESA_KV_NAMESPACE: namespace, ...settings },
    kv: { namespace, entries },
    names: Object.fromEntries(Array.from(named, ([host, port]) => [host, Number(port)])),
    unreachable: "status",
  });
  return {
    port: double.port,
    said: double.said,
    read: (key) => double.stored(key),
    stop: () => double.close(),
  };
});
