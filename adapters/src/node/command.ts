/** The command `function-fetch`: a server, from its arguments and the environment. */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { instantiate } from "../engine/node.js";
import type { StoreOption } from "../store-option.js";
import { check } from "./check.js";
import type { Options } from "./edge.js";
import { fileStore } from "./file-store.js";
import { EdgeServer, type Listening } from "./server.js";

const HELP = `Function Fetch: a smart edge reverse proxy

Usage: function-fetch [OPTIONS] [TARGET]...

A TARGET is an http:// or https:// address that requests may go to; without any,
FETCH_TARGETS of the environment has them. All other settings come from the
environment. SIGTERM or Ctrl-C stops it once the requests under way are complete;
a second one stops it at once.

  function-fetch --port 8080 https://us.example.com https://eu.example.com

Options:
  --port PORT           Where it listens; 0 takes any free port [default: 3000]
  --host ADDRESS        The address; 0.0.0.0 for all [default: 127.0.0.1]
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
  PORT, HOST            Used without --port and --host
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
    const { values, positionals } = parsed(args);
    const { store, check: checks, help, version, ...options } = values;
    if (help) return say(HELP);
    if (version) return say(`${ownVersion()}\n`);
    const targets = targetsOf(positionals);
    if (checks) {
      const named = targets === undefined ? {} : { FETCH_TARGETS: JSON.stringify(targets) };
      return check({ ...process.env, ...named }, (line) => say(`${line}\n`));
    }
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
    const where = { ...listening(options, process.env), clients };
    const given = { targets, store: await storeOf(store), ...upstream };
    return await serve(given, where, drainTimeout);
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
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        port: { type: "string" },
        host: { type: "string" },
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
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${reason}\nSee function-fetch --help`);
  }
}

/** Undefined without any. */
function targetsOf(positionals: readonly string[]): readonly string[] | undefined {
  for (const one of positionals) {
    if (!/^https?:\/\//i.test(one)) {
      throw new UsageError(
        `${one} is not the address of a target: write http:// or https:// before it\nSee function-fetch --help`,
      );
    }
  }
  return positionals.length === 0 ? undefined : positionals;
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

interface Place {
  readonly port?: string | undefined;
  readonly host?: string | undefined;
}

function listening(given: Place, env: NodeJS.ProcessEnv): Pick<Listening, "port" | "host"> {
  const port = given.port ?? (env.PORT || "3000");
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) {
    const what = given.port === undefined ? `PORT=${port}` : `--port ${port}`;
    throw new UsageError(`${what}: write a whole number from 0 to 65535`);
  }
  return { port: Number(port), host: given.host || env.HOST || "127.0.0.1" };
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
      return `port ${port} of ${host} is in use: choose another one with --port or PORT`;
    case "EACCES":
      return `port ${port} needs privileges: choose 1024 or above with --port or PORT`;
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `${host} is not an address of this machine: choose one with --host or HOST, or 0.0.0.0 for all`;
    default:
      return `cannot listen on port ${port} of ${host}: ${error instanceof Error ? error.message : error}`;
  }
}

function say(text: string): number {
  process.stdout.write(text);
  return 0;
}
