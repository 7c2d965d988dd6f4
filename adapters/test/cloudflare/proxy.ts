/**
 * Function Fetch in workerd, as its users run it: in miniflare with a KV
 * namespace, or standalone.
 */

import { join } from "node:path";
import type { TestContext } from "node:test";
import { Miniflare, type MiniflareOptions } from "miniflare";
import { bundle } from "./bundle.js";
import { Workerd } from "./workerd.js";

/** As `wrangler.jsonc` has them. */
export const COMPATIBILITY = {
  compatibilityDate: "2026-07-01",
  compatibilityFlags: ["enable_request_signal"],
};

const HERE = import.meta.dirname;
const PUBLISHED = join(HERE, "..", "..", "src", "cloudflare", "index.ts");

/** The Worker that the package exports. */
export const published = await bundle(PUBLISHED);

/** A Worker of `test/cloudflare/workers`. */
export function double(name: string): ReturnType<typeof bundle> {
  return bundle(join(HERE, "workers", `${name}.ts`));
}

export interface RunningProxy {
  readonly port: number;
  readonly miniflare: Miniflare;
  /** Its notices. */
  readonly said: string[];
}

/** A proxy that ends with the test. */
export async function startProxy(
  t: TestContext,
  settings: Readonly<Record<string, unknown>>,
  options: Partial<MiniflareOptions> = {},
): Promise<RunningProxy> {
  const said: string[] = [];
  const shared = {
    host: "127.0.0.1",
    port: 0,
    modules: published,
    bindings: settings,
    kvNamespaces: ["FASTEST_KV"],
    // Without a `cf` object, miniflare downloads one.
    cf: { colo: "FRA", country: "DE" },
    handleStructuredLogs: ({ message }: { message: string }) => {
      said.push(message);
    },
  };
  const miniflare = new Miniflare({ ...COMPATIBILITY, ...shared, ...options } as MiniflareOptions);
  t.after(() => miniflare.dispose());
  const { port } = await miniflare.ready;
  return { port: Number(port), miniflare, said };
}

/**
 * Standalone workerd: one process whose memory is all the proxy's, with nothing
 * in front of the Worker.
 */
export async function startWorkerd(
  t: TestContext,
  settings: Readonly<Record<string, string>>,
): Promise<Workerd> {
  const workerd = await Workerd.start(published, settings);
  t.after(() => workerd.stop());
  return workerd;
}
