/** All of Function Fetch for Alibaba Cloud ESA as the text of one module. */

import { join } from "node:path";
import { build, type Plugin } from "esbuild";

const HERE = join(import.meta.dirname, "..");

/** What ESA's console would accept but not run, and what it is. */
const FORBIDDEN: readonly (readonly [words: RegExp, what: string])[] = [
  [/WebAssembly/, "WebAssembly"],
  [/\beval\s*\(|new Function\b/, "code evaluated from a string"],
  [/\brequire\s*\(|\bfrom\s*["']|\bimport\s*[("'{*]/, "another module"],
];

/** `env`: the file with the built-in settings, as `gen:esa-env` writes it. */
export async function bundleEsa(env: string): Promise<string> {
  const baked: Plugin = {
    name: "baked-settings",
    setup({ onResolve }) {
      onResolve({ filter: /\/esa-env\.js$/ }, () => ({ path: env }));
    },
  };
  const { outputFiles } = await build({
    entryPoints: [join(HERE, "src", "esa.ts")],
    write: false,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    legalComments: "none",
    // jco's glue mentions it in one place: the default way to instantiate the core, which src/engine/pure.ts replaces.
    define: { WebAssembly: "undefined" },
    plugins: [baked],
  });
  const text = outputFiles[0]?.text ?? "";
  for (const [words, what] of FORBIDDEN) {
    const found = words.exec(text);
    if (found !== null) {
      const around = text.slice(Math.max(found.index - 40, 0), found.index + 40);
      throw new Error(`dist/esa.js must not contain ${what}: ${around}`);
    }
  }
  return text;
}
