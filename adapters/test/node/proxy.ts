/** A proxy behind a server of `node:http`, and processes of the command. */

import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { ClientLimits } from "../../src/node/client-limits.js";
import { createNodeHandler, type NodeHandler, type Options } from "../../src/node/index.js";
import { EdgeServer } from "../../src/node/server.js";
import type { Origin } from "../support/origin.js";
import { listenAnywhere } from "../support/port.js";
import { eventually, SOON } from "../support/waiting.js";

const ADAPTERS = join(import.meta.dirname, "..", "..");

export interface RunningProxy {
  readonly port: number;
  readonly url: string;
  readonly server: Server;
  readonly handler: NodeHandler;
  /** Its notices. */
  readonly said: string[];
}

/** A proxy in this process that ends with the test. */
export async function startProxy(t: TestContext, options: Options): Promise<RunningProxy> {
  const said: string[] = [];
  const handler = createNodeHandler({ log: (line) => said.push(line), ...options });
  const server = createServer(handler);
  server.on("upgrade", handler.upgrade);
  const port = await listenAnywhere(server);
  t.after(async () => {
    server.close();
    server.closeAllConnections();
    await handler.close();
  });
  return { port, url: `http://127.0.0.1:${port}`, server, handler, said };
}

/** A proxy for one origin. */
export async function proxyTo(t: TestContext, origin: Origin, env = {}): Promise<RunningProxy> {
  return startProxy(t, { env: { FETCH_TARGETS: origin.url, ...env } });
}

/** The limits that the command has by default. */
export const LIMITS: ClientLimits = {
  maxConnections: 10_000,
  maxHeaderBytes: 65_536,
  maxHeaderFields: 500,
  headerTimeout: 30_000,
  idleTimeout: 75_000,
  bodyTimeout: 60_000,
  writeTimeout: 60_000,
};

/** The command's server in this process; it ends with the test. */
export async function startServer(
  t: TestContext,
  options: Options,
  limits: Partial<ClientLimits> = {},
): Promise<EdgeServer> {
  const clients = { ...LIMITS, ...limits };
  const server = await EdgeServer.start(options, { port: 0, host: "127.0.0.1", clients });
  t.after(() => server.drain(0));
  return server;
}

/** The command in a separate process. */
export class Command {
  stdout = "";
  stderr = "";
  exitCode: number | null | undefined;

  private constructor(readonly process: ChildProcess) {
    process.stdout?.on("data", (text) => {
      this.stdout += text;
    });
    process.stderr?.on("data", (text) => {
      this.stderr += text;
    });
    process.on("exit", (code) => {
      this.exitCode = code;
    });
  }

  /** From the sources; it is killed with the test. */
  static start(t: TestContext, env: NodeJS.ProcessEnv, args: readonly string[] = []): Command {
    const entry = join(ADAPTERS, "scripts", "node-server", "server.ts");
    const child = spawn(process.execPath, ["--import", "tsx", entry, ...args], {
      cwd: ADAPTERS,
      env: { PATH: process.env.PATH, PORT: "0", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    t.after(() => child.kill("SIGKILL"));
    return new Command(child);
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The port that it prints. */
  port(): Promise<number> {
    return eventually("the command says where it serves", () => {
      const port = /^Serving http:\/\/\S+:(\d+)$/m.exec(this.stdout)?.[1];
      if (port !== undefined) return Number(port);
      if (this.exitCode !== undefined) throw new Error(`it ended: ${this.stderr}`);
      return undefined;
    });
  }

  async exit(): Promise<number | null> {
    await eventually("the command ends", () => this.exitCode !== undefined, 3 * SOON);
    return this.exitCode ?? null;
  }

  /** Its peak memory, MiB. */
  get peak(): number {
    const status = readFileSync(`/proc/${this.pid}/status`, "utf8");
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(status)?.[1]) / 1024;
  }
}
