/** The table of cases: all files of tests/cases, checked as they are loaded. */

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { HOSTS, type Plan, REPLACEABLE } from "./format.js";
import { Malformed, type Members, Value } from "./members.js";
import { expand, type Meanings, upstreamMeanings } from "./placeholders.js";
import { readPlan, upstreamNames } from "./reading.js";

type Json = Readonly<Record<string, unknown>>;

/** What a host does instead of a case as it stands. */
type Exception = { readonly skip: string } | { readonly members: Json };

export class Case {
  /** Group and name. */
  readonly id: string;
  /** The group that its file names. */
  readonly group: string;
  private readonly json: Json;
  private readonly exceptions: ReadonlyMap<string, Exception>;

  constructor(group: string, members: Members) {
    const name = members.required("name").text();
    this.group = group;
    this.id = `${group}::${name}`;
    members.required("why").text();
    this.exceptions = readExceptions(members.optional("except")?.members());
    this.json = members.pick(REPLACEABLE);
    members.end();
    this.check("");
    for (const host of this.exceptions.keys()) this.check(host);
  }

  /** Why a host leaves it out, if it does. */
  skipped(host: string): string | undefined {
    const exception = this.exceptions.get(host);
    return exception !== undefined && "skip" in exception ? exception.skip : undefined;
  }

  /** The names of its upstreams. */
  upstreams(host: string): string[] {
    return upstreamNames(new Value(this.jsonFor(host), this.id).members());
  }

  /** What a host does. */
  plan(host: string, meanings: Meanings): Plan {
    const json = expand(this.jsonFor(host), meanings, this.id);
    return readPlan(new Value(json, this.id).members());
  }

  private jsonFor(host: string): Json {
    const exception = this.exceptions.get(host);
    return exception !== undefined && "members" in exception
      ? { ...this.json, ...exception.members }
      : this.json;
  }

  private check(host: string): void {
    const authorities = new Map(this.upstreams(host).map((name) => [name, "127.0.0.1:1"]));
    const meanings = upstreamMeanings(authorities);
    this.plan(host, meanings.set("proxy", "127.0.0.1:1").set("client", "127.0.0.1"));
  }
}

function readExceptions(members: Members | undefined): Map<string, Exception> {
  const exceptions = new Map<string, Exception>();
  for (const [hosts, value] of members?.each() ?? []) {
    const exception = readException(value.members());
    for (const host of hosts.split(",").map((one) => one.trim())) {
      if (!HOSTS.has(host))
        throw new Malformed(value.where, `names no host that there is: ${host}`);
      if (exceptions.has(host)) throw new Malformed(value.where, `names ${host} a second time`);
      exceptions.set(host, exception);
    }
  }
  return exceptions;
}

function readException(members: Members): Exception {
  const why = members.required("why").text();
  const skip = members.optional("skip")?.flag();
  const replaced = members.pick(REPLACEABLE);
  members.end();
  const replaces = Object.keys(replaced).length > 0;
  if (why === "" || (skip === true) === replaces) {
    throw new Malformed(
      members.where,
      'wants a reason, and either "skip": true or what is different',
    );
  }
  return replaces ? { members: replaced } : { skip: why };
}

/** Reads one file's text. */
export function readGroup(text: string, file: string): Case[] {
  const members = new Value(JSON.parse(text), file).members();
  const group = members.required("group").text();
  const cases = members.required("cases").list((value) => {
    const name = value.members().optional("name");
    const where = name?.isText() ? `${file}: ${name.text()}` : value.where;
    return new Case(group, value.at(where).members());
  });
  members.end();
  return cases;
}

/** Reads all files. */
export function readTable(folder = join(repository(), "tests", "cases")): Case[] {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith(".json"))
    .sort();
  const cases = files.flatMap((file) => readGroup(readFileSync(join(folder, file), "utf8"), file));
  const ids = new Set<string>();
  for (const { id } of cases) {
    const name = id.slice(id.indexOf("::"));
    if (ids.has(name)) throw new Malformed(id, "has a name that another case has");
    ids.add(name);
  }
  return cases;
}

/** Wherever this file was compiled to, the repository is above it. */
function repository(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    if (readdirSync(folder).includes("wit")) return folder;
    if (folder === dirname(folder)) throw new Error("the tests run inside the repository");
  }
}
