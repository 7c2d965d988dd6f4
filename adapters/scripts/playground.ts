/**
 * Makes `playground/generated/` of the simulator as Rust's compiler left it, and with it the page's folder. Called by
 * `cargo xtask playground`:
 *
 *     npm run generate:playground -- function_fetch_playground.wasm FOLDER
 */

import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { HERE, transpile } from "./tools.js";

const PAGE = join(HERE, "..", "playground");
const WIT = "crates/playground/wit/playground.wit";

/** What is there in the place of `to` is gone once `fill` has filled all of it, and not before. */
function replace(to: string, fill: (unfinished: string) => void): void {
  const unfinished = `${to}.unfinished-${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    fill(unfinished);
    rmSync(to, { recursive: true, force: true });
    renameSync(unfinished, to);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

function report(folder: string): void {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  console.log(`${"playground".padEnd(28)} ${"bytes".padStart(9)} ${"gzip".padStart(9)}`);
  for (const name of files) {
    const bytes = readFileSync(join(folder, name));
    const gzip = gzipSync(bytes, { level: 9 }).length;
    console.log(
      `${name.padEnd(28)} ${String(bytes.length).padStart(9)} ${String(gzip).padStart(9)}`,
    );
  }
}

const [built, folder, ...rest] = process.argv.slice(2);
if (built === undefined || folder === undefined || rest.length > 0) {
  console.error(
    "usage: npm run generate:playground -- MODULE FOLDER (cargo xtask playground calls it)",
  );
  process.exit(2);
}
// Simulating is work for the processor: speed comes before size.
replace(join(PAGE, "generated"), (unfinished) =>
  transpile(built, "playground", WIT, "-O3", unfinished),
);
// Types are for those who build the page.
const isServed = (path: string) => !/\.d\.ts$|interfaces$|tsconfig\.json$|biome\.jsonc$/.test(path);
replace(folder, (unfinished) => cpSync(PAGE, unfinished, { recursive: true, filter: isServed }));
report(folder);
