/** The package on the oldest Node.js of each line that it claims. */

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { OLDEST } from "../../../src/node/supported.js";
import { send } from "../../support/client.js";
import { startOrigin } from "../../support/origin.js";
import { eventually } from "../../support/waiting.js";
import { elsewhere, emptyFolder, run, start } from "./installed.js";

/** The first of the long-term lines after those. */
const VERSIONS = [...OLDEST, "24.0.0", "26.0.0"];

/** Node.js itself as an npm package; there is one for each kind of machine. */
const NODE = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

for (const version of VERSIONS) {
  test(`it_runs_on_node_${version}`, { timeout: 300_000 }, async (t) => {
    const folder = emptyFolder(t);
    writeFileSync(join(folder, "package.json"), '{"private": true}');
    run("npm", ["install", "--silent", "--prefer-offline", `${NODE}@${version}`], folder);
    const node = join(folder, "node_modules", NODE, "bin", "node");
    assert.equal(run(node, ["--version"]).trim(), `v${version}`);
    const origin = await startOrigin(t);
    const command = elsewhere("node_modules", "function-fetch", "bin", "function-fetch.js");
    const program = start(t, node, [command, "--port", "0", origin.url], {});
    const port = await eventually("it serves", () => program.port() || undefined, 30_000);
    assert.equal((await send(port)).body.toString(), "origin");
    const required = 'console.log(typeof require("function-fetch").createNodeHandler)';
    writeFileSync(elsewhere("required.cjs"), required);
    assert.equal(run(node, ["required.cjs"]).trim(), "function");
  });
}
