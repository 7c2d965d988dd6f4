/** A process of workerd with one Worker, and its resource usage. */

import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { listenAnywhere } from "../support/port.js";
import { eventually } from "../support/waiting.js";
import { Wire } from "../support/wire.js";
import type { Module } from "./bundle.js";

/** The path of the binary: what the package `workerd`, a dependency of miniflare's, exports. */
const BINARY = String(
  createRequire(createRequire(import.meta.url).resolve("miniflare"))("workerd").default,
);

/** As `wrangler.jsonc` has it. */
const COMPATIBILITY_DATE = "2026-07-01";

export class Workerd {
  private constructor(
    readonly port: number,
    private readonly child: ChildProcess,
    private readonly folder: string,
  ) {}

  /** Starts it; it may take a moment until it listens. */
  static async launch(modules: readonly Module[], bindings: object): Promise<Workerd> {
    const folder = mkdtempSync(join(tmpdir(), "function-fetch-workerd-"));
    for (const { path, contents } of modules) writeFileSync(join(folder, path), contents);
    const port = await freePort();
    writeFileSync(join(folder, "config.capnp"), config(modules, bindings, port));
    const child = spawn(BINARY, ["serve", "config.capnp"], {
      cwd: folder,
      stdio: ["ignore", "inherit", "inherit"],
    });
    const workerd = new Workerd(port, child, folder);
    // Also when a test fails before it registers its cleanup.
    process.once("exit", workerd.stop);
    return workerd;
  }

  static async start(modules: readonly Module[], bindings: object): Promise<Workerd> {
    const workerd = await Workerd.launch(modules, bindings);
    await eventually("workerd listens", async () => {
      if (workerd.child.exitCode !== null) throw new Error("workerd has ended");
      try {
        (await Wire.connect(workerd.port)).close();
        return true;
      } catch {
        return false;
      }
    });
    return workerd;
  }

  /** The CPU time of all its threads so far, ms. */
  get cpu(): number {
    const tasks = `/proc/${this.child.pid}/task`;
    let total = 0;
    for (const task of readdirSync(tasks)) {
      const [ns] = readFileSync(`${tasks}/${task}/schedstat`, "utf8").split(" ");
      total += Number(ns) / 1e6;
    }
    return total;
  }

  /** Its peak memory, MiB. */
  get peak(): number {
    const status = readFileSync(`/proc/${this.child.pid}/status`, "utf8");
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }

  readonly stop = (): void => {
    process.off("exit", this.stop);
    this.child.kill("SIGKILL");
    rmSync(this.folder, { recursive: true, force: true });
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenAnywhere(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function config(modules: readonly Module[], bindings: object, port: number): string {
  const embedded = modules.map(({ type, path }) => {
    const kind = type === "ESModule" ? "esModule" : "wasm";
    return `(name = "${path}", ${kind} = embed "${path}")`;
  });
  const bound = Object.entries(bindings).map(
    ([name, value]) => `(name = "${name}", text = ${JSON.stringify(value)})`,
  );
  // `cf-blob` stands for the facts of Cloudflare's edge about a request:
  // request.cf.
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .proxy),
    (name = "internet", network = (allow = ["public", "private"])),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:${port}", http = (cfBlobHeader = "cf-blob"), service = "main"),
  ],
);
const proxy :Workerd.Worker = (
  modules = [${embedded.join(", ")}],
  bindings = [${bound.join(", ")}],
  compatibilityDate = "${COMPATIBILITY_DATE}",
  compatibilityFlags = ["enable_request_signal"],
);
`;
}
