/**
 * Makes `dist-node/node_server.js`: the command in one file, the engine in it,
 * for machines that have Node.js and nothing else.
 *
 *     npm run build:node
 */

import { statSync } from "node:fs";
import { join, relative } from "node:path";
import { build } from "esbuild";

const HERE = join(import.meta.dirname, "..", "..");
const OUTPUT = join(HERE, "dist-node", "node_server.js");

/** undici is CommonJS and requires Node.js' built-in modules. */
const BANNER = `
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
`;

await build({
  entryPoints: [join(import.meta.dirname, "server.ts")],
  outfile: OUTPUT,
  bundle: true,
  platform: "node",
  target: "node22.19",
  format: "esm",
  banner: { js: BANNER },
});

process.stdout.write(`${relative(HERE, OUTPUT)}: ${Math.round(statSync(OUTPUT).size / 1024)} KB\n`);
