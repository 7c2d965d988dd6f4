/** Function Fetch on Cloudflare Workers: the bundle in workerd, with a KV namespace, each in a process of its own. */

import { Miniflare } from "miniflare";
import { COMPATIBILITY, published } from "../cloudflare/proxy.js";
import type { CaseHost, RunningProxy } from "./host.js";

export const workers: CaseHost = {
  name: "workers",
  store: "workers-kv",
  client: "127.0.0.1",
  atOnce: 3,
  measuredAtOnce: 1,
  // The edge says so, whatever the client says.
  added: [["cf-connecting-ip", "127.0.0.1"]],
  authority: (port) => `127.0.0.1:${port}`,
  start: async (settings, entry): Promise<RunningProxy> => {
    const binding = settings.get("FETCH_CACHE_KV_BINDING") ?? "FASTEST_KV";
    const said: string[] = [];
    const miniflare = new Miniflare({
      ...COMPATIBILITY,
      host: "127.0.0.1",
      port: 0,
      modules: published,
      bindings: Object.fromEntries(settings),
      kvNamespaces: [binding],
      // Unless told what it is, miniflare asks the network.
      cf: { colo: "FRA", country: "DE" },
      // Miniflare's own front would tidy up what the client says.
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      handleStructuredLogs: ({ message }: { message: string }) => {
        said.push(message);
      },
    });
    await miniflare.ready;
    const { port } = await miniflare.unsafeGetDirectURL();
    const kv = await miniflare.getKVNamespace(binding);
    if (entry !== undefined) await kv.put(entry.key, entry.value);
    return {
      port: Number(port),
      said,
      read: async (key) => (await kv.get(key, "text")) ?? undefined,
      stop: () => miniflare.dispose(),
    };
  },
};
