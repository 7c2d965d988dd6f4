/**
 * Makes `dist-node/node_server.js`: the command in one file, the engine in it,
 * for machines that have Node.js and nothing else.
 *
 *     npm run build:node
 */

import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { build, type Plugin } from "esbuild";

const HERE = join(import.meta.dirname, "..", "..");
const OUTPUT = join(HERE, "dist-node", "node_server.js");

/** What runs first: an old Node.js would fail in undici, with a message that helps nobody. */
const BANNER = `
import { createRequire } from "node:module";
if (Number.parseInt(process.versions.node, 10) < 22) {
  console.error("function-fetch: needs Node.js 22 or newer; this is " + process.versions.node);
  process.exit(1);
}
// undici is written in CommonJS and requires what Node.js brings.
const require = createRequire(import.meta.url);
`;

/** In the package the core is a file beside; here it is a part of the bundle. */
const bundledEngine: Plugin = {
  name: "bundled-engine",
  setup({ onResolve }) {
    onResolve({ filter: /\/engine\/node\.js$/ }, () => ({
      path: join(import.meta.dirname, "engine.ts"),
    }));
    onResolve({ filter: /^engine-core$/ }, () => ({
      path: join(HERE, "generated", "engine.core.wasm"),
    }));
  },
};

await build({
  entryPoints: [join(import.meta.dirname, "server.ts")],
  outfile: OUTPUT,
  bundle: true,
  platform: "node",
  target: "node22",
  format: "esm",
  loader: { ".wasm": "binary" },
  plugins: [bundledEngine],
  banner: { js: BANNER },
});

process.stdout.write(`${relative(HERE, OUTPUT)}: ${Math.round(statSync(OUTPUT).size / 1024)} KB\n`);
