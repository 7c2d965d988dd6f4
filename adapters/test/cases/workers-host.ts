/** Function Fetch on Cloudflare Workers: the bundle in workerd, with a KV namespace, each in a process of its own. */

import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { bundle } from "../cloudflare/bundle.js";
import type { CaseHost, RunningProxy } from "./host.js";

const ENTRY = fileURLToPath(new URL("../../src/cloudflare/index.ts", import.meta.url));

const modules = await bundle(ENTRY);

export const workers: CaseHost = {
  name: "workers",
  store: "workers-kv",
  client: "127.0.0.1",
  atOnce: 3,
  // The edge says so, whatever the client says.
  added: [["cf-connecting-ip", "127.0.0.1"]],
  authority: (port) => `127.0.0.1:${port}`,
  start: async (settings, entry): Promise<RunningProxy> => {
    const binding = settings.get("FETCH_CACHE_KV_BINDING") ?? "FASTEST_KV";
    const said: string[] = [];
    const miniflare = new Miniflare({
      host: "127.0.0.1",
      port: 0,
      modules,
      compatibilityDate: "2026-01-01",
      compatibilityFlags: ["enable_request_signal"],
      bindings: Object.fromEntries(settings),
      kvNamespaces: [binding],
      // Miniflare's own front would tidy up what the client says.
      unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
      handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
        for (const output of [stdout, stderr]) {
          output.on("data", (text: Buffer) => said.push(text.toString().trimEnd()));
        }
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
