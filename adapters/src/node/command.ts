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
  --drain-timeout DURATION
                        How long requests may go on after SIGTERM [default: 30s]
  --max-connections N   Client connections at the same time; the next one gets 503
                        [default: 10000]
  --max-header-bytes N  Size of a request head; a larger one gets 431 [default: 65536]
  --max-header-fields N Fields of a request head; more get 431 [default: 500]
  --client-header-timeout DURATION
                        Time for a request head [default: 30s]
  --client-idle-timeout DURATION
                        How long a connection without a request is kept; longer than
                        a balancer in front keeps it [default: 75s]
  --client-body-timeout DURATION
                        How long the next chunk of a request's body is waited for
                        [default: 60s]
  --client-write-timeout DURATION
                        How long a client may read nothing of a response [default: 60s]
  --max-upstream-header-bytes N
                        Size of a target's response head; a larger one is a failed
                        attempt [default: 65536]
  --upstream-idle-timeout DURATION
                        How long a target may pause within a response body
                        [default: 10m]
  --check               Validate the settings and list every problem
  --help                Print this
  --version             Print the version

Environment:
  PORT                  The port; 0 takes any free one [default: 3000]
  HOST                  The address; 0.0.0.0 for all [default: 127.0.0.1]
  FETCH_*               The settings

A DURATION is a whole number with its unit: 500ms, 1s, 2m, 1h; without one, ms.
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
    const number = (name: NumberOption) => whole(`--${name}`, options[name]);
    const time = (name: TimeOption) => duration(`--${name}`, options[name]);
    const clients = {
      maxConnections: number("max-connections"),
      maxHeaderBytes: number("max-header-bytes"),
      maxHeaderFields: number("max-header-fields"),
      headerTimeout: time("client-header-timeout"),
      idleTimeout: time("client-idle-timeout"),
      bodyTimeout: time("client-body-timeout"),
      writeTimeout: time("client-write-timeout"),
    };
    const upstream = {
      maxHeadBytes: number("max-upstream-header-bytes"),
      upstreamIdleTimeout: time("upstream-idle-timeout"),
    };
    const drainTimeout = duration("--drain-timeout", options["drain-timeout"], 0);
    const where = { ...listening(process.env), clients };
    return await serve({ store: await storeOf(store), ...upstream }, where, drainTimeout);
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
        "drain-timeout": { type: "string", default: "30s" },
        "max-connections": { type: "string", default: "10000" },
        "max-header-bytes": { type: "string", default: "65536" },
        "max-header-fields": { type: "string", default: "500" },
        "client-header-timeout": { type: "string", default: "30s" },
        "client-idle-timeout": { type: "string", default: "75s" },
        "client-body-timeout": { type: "string", default: "60s" },
        "client-write-timeout": { type: "string", default: "60s" },
        "max-upstream-header-bytes": { type: "string", default: "65536" },
        "upstream-idle-timeout": { type: "string", default: "10m" },
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

type NumberOption =
  | "max-connections"
  | "max-header-bytes"
  | "max-header-fields"
  | "max-upstream-header-bytes";

function whole(option: string, text: string): number {
  if (!/^\d{1,9}$/.test(text) || Number(text) < 1) {
    throw new UsageError(`${option} ${text}: write a whole number, at least 1`);
  }
  return Number(text);
}

type TimeOption =
  | "client-header-timeout"
  | "client-idle-timeout"
  | "client-body-timeout"
  | "client-write-timeout"
  | "upstream-idle-timeout";

const UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** The longest delay of a timer of Node.js, ms. */
const LONGEST = 2 ** 31 - 1;

/** In ms. */
function duration(option: string, text: string, least = 1): number {
  const [, count, unit = "ms"] = /^(\d{1,10})(ms|s|m|h)?$/.exec(text) ?? [];
  const time = Number(count) * UNITS[unit as keyof typeof UNITS];
  if (count === undefined || time < least || time > LONGEST) {
    const above = least > 0 ? "above zero, " : "";
    throw new UsageError(
      `${option} ${text}: write a time ${above}with a unit, such as 500ms, 1s, 2m or 1h, up to 24 days`,
    );
  }
  return time;
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
