#!/usr/bin/env node
if (Number.parseInt(process.versions.node, 10) < 22) {
  console.error(`function-fetch: needs Node.js 22 or newer; this is ${process.versions.node}`);
  process.exit(1);
}
// Only now: an old Node.js would fail in undici, with a message that helps nobody.
const { run } = await import("../dist/node/command.js");

// Not `exitCode`: a pool or a stream that is still open must not keep an ended server alive.
process.exit(await run(process.argv.slice(2)));
