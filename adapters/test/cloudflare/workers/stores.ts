/** Function Fetch with a namespace that misbehaves as `KV` says, or is counted. */

import functionFetch, { type Bindings, type Namespace } from "../../../src/cloudflare/index.js";

interface Doubles extends Bindings {
  readonly KV: "rejects" | "hangs" | "garbage" | "full" | "counted";
  readonly FASTEST_KV: KVNamespace;
}

const GARBAGE = ["{", '{"v":1}', "\u0000", "x".repeat(100_000), "http://evil.example/"];

const counts = { reads: 0, writes: [] as { at: number; ttl: number; value: string }[] };

function namespace({ KV, FASTEST_KV }: Doubles): Namespace {
  switch (KV) {
    case "rejects":
      return {
        get: () => Promise.reject(new Error("KV GET failed: 500")),
        put: () => Promise.reject(new Error("KV PUT failed: 429 Too Many Requests")),
      };
    case "hangs":
      return { get: () => new Promise(() => {}), put: () => new Promise(() => {}) };
    case "garbage": {
      return {
        get: async () => GARBAGE[counts.reads++ % GARBAGE.length] ?? null,
        put: async () => {},
      };
    }
    case "full":
      return {
        get: async () => null,
        put: () => {
          throw new Error("KV put() limit exceeded for the day.");
        },
      };
    case "counted":
      return {
        get: (key) => {
          counts.reads += 1;
          return FASTEST_KV.get(key);
        },
        put: (key, value, options) => {
          counts.writes.push({ at: Date.now(), ttl: options.expirationTtl, value });
          return FASTEST_KV.put(key, value, options);
        },
      };
  }
}

export default {
  fetch(request, env, context) {
    if (new URL(request.url).pathname === "/counts") return Response.json(counts);
    return functionFetch.fetch(request, { ...env, FASTEST_KV: namespace(env) }, context);
  },
} satisfies ExportedHandler<Doubles>;
