/**
 * Function Fetch on Cloudflare Workers: the bundle in workerd, with a KV
 * namespace, each in a separate process.
 */

import { Miniflare } from "miniflare";
import { COMPATIBILITY, published } from "../cloudflare/proxy.js";
import { serve } from "./protocol.js";

await serve(async (settings, entries) => {
  const binding = settings.FETCH_CACHE_KV_BINDING ?? "FASTEST_KV";
  const said: string[] = [];
  const miniflare = new Miniflare({
    ...COMPATIBILITY,
    host: "127.0.0.1",
    port: 0,
    modules: published,
    bindings: settings,
    kvNamespaces: [binding],
    // Without a `cf` object, miniflare downloads one.
    cf: { colo: "FRA", country: "DE" },
    // Miniflare's own front server would normalise the client's request.
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
    handleStructuredLogs: ({ message }: { message: string }) => {
      said.push(message);
    },
  });
  await miniflare.ready;
  const { port } = await miniflare.unsafeGetDirectURL();
  const kv = await miniflare.getKVNamespace(binding);
  for (const [key, value] of Object.entries(entries)) await kv.put(key, value);
  return {
    port: Number(port),
    said,
    read: async (key) => (await kv.get(key, "text")) ?? undefined,
    stop: () => miniflare.dispose(),
  };
});
