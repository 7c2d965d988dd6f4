#!/usr/bin/env node
import { unsupported } from "../dist/node/supported.js";

const problem = unsupported(process.versions.node);
if (problem !== undefined) {
  console.error(problem);
  process.exit(1);
}
// Only now: an old Node.js would fail in undici, with an error that does not name the cause.
const { run } = await import("../dist/node/command.js");

// Not `exitCode`: a pool or a stream that is still open must not keep an ended server alive.
process.exit(await run(process.argv.slice(2)));
