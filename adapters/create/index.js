#!/usr/bin/env node
/**
 * Makes a folder with a Worker that is a Function Fetch:
 *
 *     npm create function-fetch my-proxy https://us.example.com https://eu.example.com
 */

import { cpSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, join, relative, resolve } from "node:path";
import { parseArgs } from "node:util";

const HELP = `Makes a folder with a reverse proxy for Cloudflare Workers

Usage: npm create function-fetch FOLDER [TARGET]...

FOLDER is new or empty, and names the Worker. A TARGET is an http:// or https://
address that requests may go to; without any, write them into wrangler.jsonc.

  npm create function-fetch my-proxy https://us.example.com https://eu.example.com
`;

const TEMPLATE = join(import.meta.dirname, "template");

/** What the template has in place of the user's own. */
const NAME = "function-fetch-worker";
const TARGETS = "https://api-eu.example.com https://api-us.example.com";

/** What Cloudflare accepts as the name of a Worker that is served on workers.dev. */
const WORKER = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** A user's mistake, and what to do about it. */
class UsageError extends Error {}

/** Makes the folder; gives what to do next. */
function create(args) {
  const { values, positionals } = parsed(args);
  if (values.help) return HELP;
  const [given, ...targets] = positionals;
  if (given === undefined)
    throw new UsageError("name the folder to make: npm create function-fetch FOLDER");
  const folder = resolve(given);
  const name = basename(folder);
  if (!WORKER.test(name)) {
    throw new UsageError(
      `${name}: a Worker cannot have this name; name the folder in up to 63 lower-case letters, digits and hyphens`,
    );
  }
  for (const target of targets) assertTarget(target);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new UsageError(`${given} is not empty: name a new folder`);
  }
  cpSync(TEMPLATE, folder, { recursive: true });
  // npm leaves a file of the real name out of packages.
  renameSync(join(folder, "gitignore"), join(folder, ".gitignore"));
  for (const file of ["package.json", "wrangler.jsonc"]) replace(join(folder, file), NAME, name);
  if (targets.length > 0) replace(join(folder, "wrangler.jsonc"), TARGETS, targets.join(" "));
  return next(given, targets.length > 0);
}

function parsed(args) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: { help: { type: "boolean", short: "h", default: false } },
    });
  } catch (error) {
    throw new UsageError(error.message);
  }
}

function assertTarget(target) {
  const isAddress = /^https?:\/\//i.test(target) && URL.canParse(target);
  // What the file would take for the end of a text, or for the next target.
  if (!isAddress || /["\\\s,]/.test(target)) {
    throw new UsageError(
      `${target} is not the address of a target, such as https://us.example.com`,
    );
  }
}

function replace(file, before, after) {
  const text = readFileSync(file, "utf8");
  if (!text.includes(`"${before}"`)) throw new Error(`${file} has no ${before}`);
  writeFileSync(
    file,
    text.replaceAll(`"${before}"`, () => `"${after}"`),
  );
}

function next(given, hasTargets) {
  const steps = [
    `cd ${relative(".", given) || "."}`,
    ...(hasTargets ? [] : ["# write your targets into wrangler.jsonc"]),
    "npm install",
    "npm run dev       # serves it on this machine",
    "npm run deploy    # serves it from Cloudflare; asks you to log in",
  ];
  return `${given} is made. Now:\n\n${steps.map((step) => `  ${step}\n`).join("")}`;
}

try {
  process.stdout.write(create(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`create-function-fetch: ${error.message}\n`);
  process.exitCode = 2;
}
