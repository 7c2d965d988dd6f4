/**
 * A strict emulation of ESA's runtime, in a separate process: Node.js or Deno,
 * without what ESA does not have. The setup is the first argument.
 */

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";
import type { EdgeRoutine } from "../../../src/esa/index.js";
import { Account } from "./edge-kv.js";
import { makeFetch } from "./fetch.js";
import { Invocations } from "./invocations.js";
import type { Line, Question, Setup } from "./protocol.js";
import { serveDeno } from "./serve-deno.js";
import { serveNode } from "./serve-node.js";
import { serving } from "./serving.js";

const setup: Setup = JSON.parse(process.argv[2] ?? "");
const isDeno = "Deno" in globalThis;

function say(line: Line): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

const invocations = new Invocations();
const account = new Account(setup.kv, invocations);
// The runtime's own WebAssembly is loaded now.
await new Response("").text();
Object.assign(globalThis, {
  fetch: makeFetch(invocations, setup),
  EdgeKV: account.edgeKv(),
  // How `esa-cli dev` calls it in its build.
  mockKV: account.edgeKv(),
});
console.log = (...words: unknown[]) => say({ said: words.join(" ") });
for (const name of ["WebAssembly", ...setup.without]) {
  if (!Reflect.deleteProperty(globalThis, name)) throw new Error(`cannot take ${name} away`);
}

const loaded: { default: EdgeRoutine } = await import(pathToFileURL(setup.file).href);
const serve = serving(loaded.default, invocations, setup);
say({ port: isDeno ? serveDeno(serve) : await serveNode(serve) });

for await (const text of createInterface({ input: process.stdin })) {
  const question: Question = JSON.parse(text);
  if (question.ask === "kv") account.behaviour = question.behaviour;
  const { most, refused } = invocations;
  const { gets, puts } = account;
  const entries = Object.fromEntries(account.entries);
  say({ id: question.id, report: { most, refused, kv: { gets, puts, entries } } });
}
// The parent process has exited.
process.exit(0);
