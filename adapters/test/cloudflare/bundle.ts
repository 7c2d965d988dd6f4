/** Worker sources made into the modules that workerd loads. */

import { build } from "esbuild";

/** One module. The first of a bundle is the entry. */
export type Module =
  | { readonly type: "ESModule"; readonly path: string; readonly contents: string }
  | { readonly type: "CompiledWasm"; readonly path: string; readonly contents: Uint8Array };

/** Bundles a Worker as wrangler does: one script, and the engine's core beside it. */
export async function bundle(entry: string): Promise<Module[]> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker"],
    external: ["cloudflare:*"],
    loader: { ".wasm": "copy" },
    outdir: "/",
    entryNames: "[name]",
    write: false,
  });
  const modules = outputFiles.map((file): Module => {
    const path = file.path.slice(1);
    return path.endsWith(".wasm")
      ? { type: "CompiledWasm", path, contents: file.contents }
      : { type: "ESModule", path, contents: file.text };
  });
  return modules.sort((one, other) => other.type.localeCompare(one.type));
}
