/**
 * Makes `dist/esa.js`: all of Function Fetch for Alibaba Cloud ESA in one file,
 * to be pasted into the console, with the settings that `gen:esa-env` found.
 *
 *     npm run build:esa
 */

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { gzipSync } from "node:zlib";
import { bundleEsa } from "./esa-bundle.js";

const HERE = join(import.meta.dirname, "..");
const OUTPUT = join(HERE, "dist", "esa.js");
const ENV = join(HERE, "src", "esa-env.js");

if (!existsSync(ENV)) writeFileSync(ENV, "export const BAKED = {};\n");
const text = await bundleEsa(ENV);
mkdirSync(dirname(OUTPUT), { recursive: true });
writeFileSync(OUTPUT, text);
const bytes = Buffer.byteLength(text);
const gzip = gzipSync(text, { level: 9 }).length;
console.log(`${relative(process.cwd(), OUTPUT)}: ${bytes} bytes, ${gzip} with gzip`);
