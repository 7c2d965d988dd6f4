/** How a case is read from the table. */

import type { Answer, Behaviour } from "../support/behaviour.js";
import type { Field } from "../support/fields.js";
import type {
  FieldRule,
  FieldRules,
  Plan,
  ProbesRule,
  RecordPlan,
  RequestPlan,
  ResponseRule,
  SeenRule,
  Step,
  StorePlan,
  StoreRule,
} from "./format.js";
import { Malformed, Members, type Value } from "./members.js";

/** Without `upstreams`. */
const TWO_PLAIN = { a: {}, b: { health: { delay_ms: 150 } } };

/** The names of the upstreams of a case, before anything else of it is read. */
export function upstreamNames(members: Members): string[] {
  const upstreams =
    members.optional("upstreams")?.members() ?? new Members(TWO_PLAIN, members.where);
  return [...upstreams.each()].map(([name, value]) => {
    if (!/^[a-z]$/.test(name))
      throw new Malformed(value.where, "its name must be one lower-case letter");
    return name;
  });
}

/** Reads what is left of a case when its name and exceptions are taken off. */
export function readPlan(members: Members): Plan {
  const names = new Set(upstreamNames(members));
  const known = (name: string, where: string): string => {
    if (!names.has(name))
      throw new Malformed(where, `there is no upstream ${JSON.stringify(name)}`);
    return name;
  };
  const settings = members.optional("settings")?.members();
  const upstreams =
    members.optional("upstreams")?.members() ?? new Members(TWO_PLAIN, members.where);
  const plan: Plan = {
    settings: settings?.map((value) => (value.isNull() ? null : value.text())) ?? new Map(),
    targets: members.optional("targets")?.list((value) => value.text()),
    upstreams: upstreams.map((value) => value.with(readBehaviour)),
    store: readStore(members.optional("store")?.members(), known),
    steps: members.required("steps").list((value) => readStep(value.members(), known)),
    storeAfter: readStoreAfter(members.optional("store_after")?.members(), known),
  };
  members.end();
  return plan;
}

type Known = (name: string, where: string) => string;

/** The members of an object whose names are those of upstreams. */
function byUpstream<T>(members: Members, known: Known, read: (value: Value) => T): Map<string, T> {
  return members.map((value, name) => {
    known(name, value.where);
    return read(value);
  });
}

function readStore(members: Members | undefined, known: Known): StorePlan | undefined {
  if (members === undefined) return undefined;
  const raw = members.optional("raw")?.text();
  const record = members.optional("record")?.members();
  members.end();
  if (raw !== undefined && record === undefined) return { holds: "raw", raw };
  if (record === undefined || raw !== undefined) {
    throw new Malformed(members.where, 'wants either "raw" or "record"');
  }
  const primary = record.required("primary");
  const numbers = (name: string) =>
    record.optional(name)?.with((each) => byUpstream(each, known, (value) => value.number())) ??
    new Map<string, number>();
  const plan: RecordPlan = {
    age: record.optional("age_ms")?.number() ?? 0,
    primary: known(primary.text(), primary.where),
    ms: numbers("ms"),
    n: numbers("n"),
    but: readSpoilt(record.optional("but")?.members()),
  };
  record.end();
  return { holds: "record", record: plan };
}

/** Members of a record, of any kind. */
function readSpoilt(members: Members | undefined): Record<string, unknown> {
  return Object.fromEntries(members?.map((value) => value.raw()) ?? []);
}

function readStoreAfter(members: Members | undefined, known: Known): StoreRule | undefined {
  if (members === undefined) return undefined;
  const raw = members.optional("raw")?.text();
  const primary = members.optional("primary");
  const empty = members.optional("empty")?.flag();
  members.end();
  if ([raw, primary, empty].filter((one) => one !== undefined).length !== 1 || empty === false) {
    throw new Malformed(members.where, 'wants one of "raw", "primary" and "empty": true');
  }
  if (raw !== undefined) return { is: "raw", raw };
  if (primary !== undefined) return { is: "record", primary: known(primary.text(), primary.where) };
  return { is: "empty" };
}

function readBehaviour(members: Members): Behaviour {
  const behaviour: Behaviour = {
    dead: members.optional("dead")?.flag(),
    health: members.optional("health")?.with(readAnswer),
    answers: members.optional("answers")?.list((value) => value.with(readAnswer)),
  };
  members.end();
  return behaviour;
}

const FAULTS = ["reset", "silent", "garbage", "short"] as const;

function readAnswer(members: Members): Answer {
  const answer: Answer = {
    status: members.optional("status")?.number(),
    headers: members.optional("headers")?.with(readFields),
    body: readBody(members),
    delay: members.optional("delay_ms")?.number(),
    trailers: members.optional("trailers")?.with(readFields),
    fault: members.optional("fault")?.oneOf(FAULTS),
    readBody: members.optional("read_body")?.flag(),
  };
  members.end();
  return answer;
}

function readBody(members: Members): string | undefined {
  const body = members.optional("body")?.text();
  const bytes = members.optional("body_bytes")?.number();
  if (body !== undefined && bytes !== undefined) {
    throw new Malformed(members.where, 'wants either "body" or "body_bytes"');
  }
  return bytes === undefined ? body : "x".repeat(bytes);
}

function readFields(members: Members): Field[] {
  const fields = [...members.each()].flatMap(([name, value]) =>
    (value.isList() ? value.list((one) => one.text()) : [value.text()]).map(
      (one): Field => [name, one],
    ),
  );
  members.end();
  return fields;
}

function readStep(members: Members, known: Known): Step {
  const step = readOneStep(members, known);
  members.end();
  return step;
}

function readOneStep(members: Members, known: Known): Step {
  const request = members.optional("request")?.members();
  if (request !== undefined) {
    return {
      does: "request",
      request: readRequest(request),
      response: members.optional("response")?.with(readResponse),
      seen: members
        .optional("seen")
        ?.with((each) =>
          byUpstream(each, known, (value) => value.list((one) => one.with(readSeen))),
        ),
    };
  }
  const wait = members.optional("wait")?.members();
  if (wait !== undefined) {
    const probes = wait
      .required("probes")
      .with((each) => byUpstream(each, known, (value) => value.number()));
    wait.end();
    return { does: "wait", probes };
  }
  const upstreams = members.optional("upstreams")?.members();
  if (upstreams !== undefined) {
    const read = byUpstream(upstreams, known, (value) => value.with(readBehaviour));
    return { does: "upstreams", upstreams: read };
  }
  const probes = members.optional("probes")?.members();
  if (probes !== undefined) {
    const read = byUpstream(probes, known, (value): ProbesRule => {
      if (value.isNumber()) return { count: value.number(), atLeast: false };
      const rule = value.members();
      const count = rule.required("at_least").number();
      rule.end();
      return { count, atLeast: true };
    });
    return { does: "probes", probes: read };
  }
  const sleep = members.optional("sleep_ms")?.number();
  if (sleep !== undefined) return { does: "sleep", ms: sleep };
  throw new Malformed(members.where, "is no step that there is");
}

function readRequest(members: Members): RequestPlan {
  const request: RequestPlan = {
    method: members.optional("method")?.text() ?? "GET",
    path: members.optional("path")?.text() ?? "/",
    headers: members.optional("headers")?.with(readFields) ?? [],
    body: readBody(members),
    chunked: members.optional("chunked")?.flag() ?? false,
  };
  members.end();
  return request;
}

function readResponse(members: Members): ResponseRule {
  const contains = members.optional("body_contains");
  const rule: ResponseRule = {
    status: members.optional("status")?.number(),
    headers: members.optional("headers")?.with(readRules) ?? new Map(),
    body: members.optional("body")?.text(),
    bodyContains:
      contains === undefined
        ? []
        : contains.isList()
          ? contains.list((one) => one.text())
          : [contains.text()],
    bodyBytes: members.optional("body_bytes")?.number(),
    trailers: members.optional("trailers")?.with(readRules) ?? new Map(),
    broken: members.optional("broken")?.flag() ?? false,
  };
  members.end();
  return rule;
}

function readSeen(members: Members): SeenRule {
  const rule: SeenRule = {
    method: members.optional("method")?.text(),
    path: members.optional("path")?.text(),
    headers: members.optional("headers")?.with(readRules) ?? new Map(),
    body: members.optional("body")?.text(),
    bodyBytes: members.optional("body_bytes")?.number(),
  };
  members.end();
  return rule;
}

function readRules(members: Members): FieldRules {
  return members.map((value): FieldRule => {
    if (value.isNull()) return { is: "absent" };
    if (value.isText()) return { is: "value", value: value.text() };
    if (value.isList()) return { is: "values", values: value.list((one) => one.text()) };
    const rule = value.members();
    const text = rule.required("contains").text();
    rule.end();
    return { is: "containing", text };
  });
}
