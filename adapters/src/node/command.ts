/** The command `function-fetch`: a server, from the environment alone. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { instantiate } from "../engine/node.js";
import { check } from "./check.js";
import type { Options, StoreOption } from "./edge.js";
import { fileStore } from "./file-store.js";
import { EdgeServer, type Listening } from "./server.js";

const HELP = `Function Fetch: a smart edge reverse proxy

Usage: function-fetch [OPTIONS]

Settings come from the environment: FETCH_TARGETS, required, is where requests
go; PORT and HOST are where it listens. SIGTERM or Ctrl-C stops it once the
requests under way are complete; a second one stops it at once.

Options:
  --store STORE         Share the decision: file:FOLDER, or a module (.js) whose
                        default export is a store, an object with get and put
  --drain-timeout MS    How long requests may go on after SIGTERM [default: 30000]
  --idle-timeout MS     How long a client's connection is kept without a request;
                        longer than a balancer in front keeps it [default: 75000]
  --max-head-bytes N    The longest head of a request (beyond: 431) and of a target's
                        response (beyond: a failed attempt) [default: 65536]
  --check               Validate the settings and list every problem
  --help                Print this
  --version             Print the version

Environment:
  PORT                  The port; 0 takes any free one [default: 3000]
  HOST                  The address; 0.0.0.0 for all [default: 127.0.0.1]
  FETCH_*               The settings
`;

/** How often to check that the parent process still runs, ms. */
const PARENT_CHECK = 500;

/** The exit code of a server that was stopped by force. */
const FORCED = 130;

/** A user's mistake, and what to do about it. */
class UsageError extends Error {}

/** Runs the command. Resolves to its exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const { store, check: checks, help, version, ...options } = parsed(args);
    if (help) return say(HELP);
    if (version) return say(`${ownVersion()}\n`);
    if (checks) return check(process.env, (line) => say(`${line}\n`));
    const where = {
      ...listening(process.env),
      idleTimeout: whole("--idle-timeout", options["idle-timeout"], "milliseconds"),
    };
    const drainTimeout = whole("--drain-timeout", options["drain-timeout"], "milliseconds", 0);
    const maxHeadBytes = whole("--max-head-bytes", options["max-head-bytes"], "bytes");
    return await serve({ store: await storeOf(store), maxHeadBytes }, where, drainTimeout);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`function-fetch: ${error.message}\n`);
    return 2;
  }
}

/** The engine's version, from the `user-agent` of probes. */
function ownVersion(): string {
  const { userAgent } = instantiate().configure([], {}, 0);
  return userAgent.slice(userAgent.indexOf("/") + 1);
}

function parsed(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        store: { type: "string" },
        "drain-timeout": { type: "string", default: "30000" },
        "idle-timeout": { type: "string", default: "75000" },
        "max-head-bytes": { type: "string", default: "65536" },
        check: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
        version: { type: "boolean", short: "V", default: false },
      },
    });
    return values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${reason}\nSee function-fetch --help`);
  }
}

function whole(option: string, text: string, unit: string, least = 1): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < least) {
    const from = least > 0 ? `, at least ${least}` : "";
    throw new UsageError(`${option} ${text}: write a whole number of ${unit}${from}`);
  }
  return Number(text);
}

function listening(env: NodeJS.ProcessEnv): Pick<Listening, "port" | "host"> {
  const port = env.PORT || "3000";
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    throw new UsageError(`PORT=${port}: write a whole number from 0 to 65535`);
  }
  return { port: Number(port), host: env.HOST || "127.0.0.1" };
}

async function storeOf(given: string | undefined): Promise<StoreOption | undefined> {
  if (given === undefined) return undefined;
  const folder = /^file:(.*)$/.exec(given)?.[1];
  if (folder !== undefined) {
    if (folder === "")
      throw new UsageError("--store file: needs a folder, as in file:/var/lib/edge");
    return fileStore(folder);
  }
  const module: unknown = await import(pathToFileURL(resolve(given)).href).catch((error: Error) => {
    throw new UsageError(`--store ${given}: ${error.message}`);
  });
  const store = (module as { default?: unknown }).default;
  if (!isStore(store)) {
    throw new UsageError(`--store ${given}: its default export has no methods get and put`);
  }
  return store;
}

function isStore(value: unknown): value is StoreOption {
  if (typeof value !== "object" || value === null) return false;
  const { get, put } = value as Partial<StoreOption>;
  return typeof get === "function" && typeof put === "function";
}

async function serve(options: Options, where: Listening, drainTimeout: number): Promise<number> {
  const server = await EdgeServer.start(options, where).catch((error: unknown) => {
    throw new UsageError(remedy(error, where));
  });
  say(`Serving ${server.url}\n`);
  await Promise.race([signalled(), orphaned()]);
  const forced = signalled().then(() => FORCED);
  return Promise.race([server.drain(drainTimeout).then(() => 0), forced]);
}

/** Resolves at the next signal to end. */
function signalled(): Promise<void> {
  return new Promise((resolve) => {
    const ending = () => {
      process.off("SIGTERM", ending).off("SIGINT", ending);
      resolve();
    };
    process.on("SIGTERM", ending).on("SIGINT", ending);
  });
}

/**
 * Resolves when npm, or the shell between npm and this process, has exited: npx and
 * `npm run` exit on SIGTERM without forwarding it. Without npm, a parent may exit freely.
 */
function orphaned(): Promise<void> {
  return new Promise((resolve) => {
    if (process.env.npm_command === undefined) return;
    const parent = process.ppid;
    const timer = setInterval(() => {
      if (process.ppid === parent) return;
      clearInterval(timer);
      resolve();
    }, PARENT_CHECK);
    timer.unref();
  });
}

function remedy(error: unknown, { port, host }: Listening): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is in use: set PORT to another one`;
    case "EACCES":
      return `port ${port} needs privileges: set PORT to 1024 or above`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `HOST=${host} is not an address of this machine: set HOST to one, or to 0.0.0.0 for all`;
    default:
      return `cannot listen on port ${port} of ${host}: ${error instanceof Error ? error.message : error}`;
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}
