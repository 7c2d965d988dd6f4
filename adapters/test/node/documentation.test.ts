/** The TypeScript of the documentation compiles against the source of the package. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { type TestContext, test } from "node:test";

const ADAPTERS = join(import.meta.dirname, "..", "..");
const DOCS = join(ADAPTERS, "..", "docs");

interface Snippet {
  /** The page and the place in it. */
  readonly name: string;
  readonly text: string;
}

/** Each name that the text imports, with a statement that imports it alone. */
function imports(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const [, clause = "", from = ""] of text.matchAll(/^import (.+?) from "(.+?)";/gm)) {
    const [, named] = clause.match(/^{(.+)}$/) ?? [];
    for (const name of (named ?? clause).split(",").map((part) => part.trim())) {
      const what = named === undefined ? name : `{ ${name} }`;
      found.set(name.replace("type ", ""), `import ${what} from "${from}";`);
    }
  }
  return found;
}

/** The snippets of a page. What one imports, those after it need not import again. */
function snippetsOf(page: string): Snippet[] {
  const text = readFileSync(join(DOCS, page), "utf8");
  const known = new Map<string, string>();
  const blocks = text.matchAll(/^```(?:ts|typescript)\n(.*?)^```/gms);
  return Array.from(blocks, ([, block = ""], place) => {
    const own = imports(block);
    const needed = Array.from(known).filter(
      ([name]) => !own.has(name) && new RegExp(`\\b${name}\\b`).test(block),
    );
    for (const [name, statement] of own) known.set(name, statement);
    const before = needed.map(([, statement]) => `${statement}\n`).join("");
    return {
      name: `${basename(page, ".md")}-${place + 1}`,
      text: `${before}${block}\nexport {};\n`,
    };
  });
}

function snippets(): Snippet[] {
  return readdirSync(DOCS)
    .filter((name) => name.endsWith(".md"))
    .flatMap(snippetsOf);
}

/** What package.json says of an entry: its types, or those for a platform. */
interface Entry {
  readonly types?: string;
  readonly [condition: string]: Entry | string | undefined;
}

function typesOf(entry: Entry | string | undefined, condition: string): string | undefined {
  if (entry === undefined || typeof entry === "string") return undefined;
  return entry.types ?? typesOf(entry[condition], condition) ?? typesOf(entry.default, condition);
}

/** The source behind each entry of the package, by the name that users import. */
function sources(condition: string): Record<string, [string]> {
  const { name, exports } = JSON.parse(readFileSync(join(ADAPTERS, "package.json"), "utf8"));
  const paths: Record<string, [string]> = {};
  for (const [entry, target] of Object.entries<Entry>(exports)) {
    const types = typesOf(target, condition);
    if (types === undefined) continue;
    const source = types.replace("./dist/", "./src/").replace(/\.d\.ts$/, ".ts");
    paths[entry.replace(".", name)] = [join(ADAPTERS, source)];
  }
  return paths;
}

/** What a snippet may use besides the package. */
interface Platform {
  /** Its condition in the `exports` of package.json. */
  readonly condition: string;
  /** The package of its global types. */
  readonly types: string;
  readonly lib: readonly string[];
  /** Declarations for the compiler to read as well. */
  readonly include: readonly string[];
  /** Files beside the snippets, by their names. */
  readonly beside: Readonly<Record<string, string>>;
}

const NODE: Platform = {
  condition: "node",
  types: "@types/node",
  lib: ["ES2023", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  include: [],
  beside: {
    "metrics.ts": readFileSync(join(ADAPTERS, "examples", "metrics.ts"), "utf8"),
    // What of other libraries and runtimes the pages use; the package depends on none of them.
    "others.d.ts": `declare module "prom-client" {
  type Client = import("./metrics.js").PromClient;
  export const Counter: Client["Counter"];
  export const Gauge: Client["Gauge"];
}
declare module "@vercel/functions" {
  export function waitUntil(work: Promise<unknown>): void;
}
declare const Bun: { serve(options: { fetch(request: Request): Promise<Response> }): unknown };
declare const Deno: { serve(handler: (request: Request) => Promise<Response>): unknown };
`,
  },
};

const WORKERS: Platform = {
  condition: "workerd",
  types: "@cloudflare/workers-types",
  lib: ["ES2023"],
  include: [join(ADAPTERS, "src", "engine", "module.d.ts")],
  beside: {},
};

/** Compiles the snippets in a folder of their own. */
function compile(t: TestContext, all: readonly Snippet[], platform: Platform) {
  const folder = mkdtempSync(join(tmpdir(), "function-fetch-documentation-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const { name, text } of all) write(`${name}.ts`, text);
  for (const [name, text] of Object.entries(platform.beside)) write(name, text);
  write("package.json", '{"type": "module"}');
  symlinkSync(join(ADAPTERS, "node_modules"), join(folder, "node_modules"), "dir");
  const config = {
    extends: join(ADAPTERS, "tsconfig.base.json"),
    compilerOptions: {
      lib: platform.lib,
      types: [join(ADAPTERS, "node_modules", platform.types)],
      paths: sources(platform.condition),
      // A name that it imports may stand in a text alone.
      noUnusedLocals: false,
    },
    include: ["*.ts", ...platform.include],
  };
  write("tsconfig.json", JSON.stringify(config));
  const tsc = join(ADAPTERS, "node_modules", ".bin", "tsc");
  const { status, stdout } = spawnSync(tsc, ["-p", "."], { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, stdout);
}

const isForWorkers = ({ text }: Snippet) => text.includes("function-fetch/cloudflare");

test("the TypeScript of the documentation compiles, for Node.js and ESA", (t) => {
  const all = snippets().filter((snippet) => !isForWorkers(snippet));
  assert.ok(all.length >= 8, `${all.length} snippets`);
  compile(t, all, NODE);
});

test("the TypeScript of the documentation compiles, for Workers", (t) => {
  const all = snippets().filter(isForWorkers);
  assert.ok(all.length >= 2, `${all.length} snippets`);
  compile(t, all, WORKERS);
});
