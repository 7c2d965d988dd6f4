/**
 * Function Fetch on ESA: the file that is pasted into its console, in a strict emulation of its runtime. The argument
 * selects Node.js or Deno.
 */

import { type Runtime, startEmulation } from "../esa/emulation.js";
import { serve } from "./protocol.js";

const NAMESPACE = "function-fetch";

/**
 * ESA fetches by name only, and on the scheme's default port: `tests/e2e/cases/host.rs` names the upstreams so.
 */
const NAME = /\bupstream-(\d+)\.test\b/g;

const runtime = process.argv[2] as Runtime;

await serve(async (settings, entries) => {
  const named = settings.FETCH_TARGETS?.matchAll(NAME) ?? [];
  const namespace = settings.ESA_KV_NAMESPACE ?? NAMESPACE;
  const emulation = await startEmulation({
    runtime,
    env: { ESA_KV_NAMESPACE: namespace, ...settings },
    kv: { namespace, entries },
    names: Object.fromEntries(Array.from(named, ([host, port]) => [host, Number(port)])),
    unreachable: "status",
  });
  return {
    port: emulation.port,
    said: emulation.said,
    read: (key) => emulation.stored(key),
    stop: () => emulation.close(),
  };
});
