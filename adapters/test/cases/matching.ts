/** Whether what happened is what a case says, and in words if it is not. */

import type { RawResponse } from "../support/client.js";
import { type Field, valuesOf } from "../support/fields.js";
import type { Seen } from "../support/seen.js";
import type { FieldRule, FieldRules, ResponseRule, SeenRule, StoreRule } from "./format.js";
import type { CaseTarget } from "./record.js";

/** What is not as it should be, each a sentence. */
export type Differences = string[];

/** More of a body than this is no help to a reader. */
const SHOWN = 300;

export function responseDifferences(rule: ResponseRule, response: RawResponse): Differences {
  const differences: Differences = [];
  const check = checker(differences);
  check("its status", response.status, rule.status);
  differences.push(...fieldDifferences(rule.headers, response.headers));
  const body = response.body.toString();
  check(
    "its body",
    shown(body),
    rule.body === undefined ? undefined : shown(rule.body),
    body === rule.body,
  );
  for (const text of rule.bodyContains) {
    if (!body.includes(text))
      differences.push(`its body has no ${quoted(text)} in it: ${shown(body)}`);
  }
  check("its body's length", response.body.byteLength, rule.bodyBytes);
  for (const what of fieldDifferences(rule.trailers, response.trailers))
    differences.push(`in its trailers, ${what}`);
  if (response.broken !== rule.broken) {
    differences.push(rule.broken ? "its body came to a proper end" : "its body was broken off");
  }
  return differences;
}

export function seenDifferences(rules: readonly SeenRule[], seen: readonly Seen[]): Differences {
  if (rules.length !== seen.length) {
    return [`saw ${seen.length} requests, not ${rules.length}: ${seen.map(line).join(", ")}`];
  }
  return rules.flatMap((rule, at) => {
    const one = seen[at];
    return one === undefined
      ? []
      : requestDifferences(rule, one).map((what) => `of ${line(one)}, ${what}`);
  });
}

function requestDifferences(rule: SeenRule, seen: Seen): Differences {
  const differences: Differences = [];
  const check = checker(differences);
  check("its method", seen.method, rule.method);
  check("its path", seen.path, rule.path);
  differences.push(...fieldDifferences(rule.headers, seen.headers));
  const body = seen.body.toString();
  check(
    "its body",
    shown(body),
    rule.body === undefined ? undefined : shown(rule.body),
    body === rule.body,
  );
  check("its body's length", seen.bodyBytes, rule.bodyBytes);
  return differences;
}

/** What a stored value is not. */
export function storeDifferences(
  rule: StoreRule,
  value: string | undefined,
  targets: readonly CaseTarget[],
): Differences {
  switch (rule.is) {
    case "empty":
      return value === undefined ? [] : [`the store holds ${shown(value)}`];
    case "raw":
      return value === rule.raw
        ? []
        : [`the store holds ${quoted(value)}, not ${quoted(rule.raw)}`];
    case "record": {
      const primary = primaryOf(value, targets);
      if (primary === rule.primary) return [];
      return [
        `the store's record names ${quoted(primary)}, not ${quoted(rule.primary)}: ${quoted(value)}`,
      ];
    }
  }
}

function primaryOf(value: string | undefined, targets: readonly CaseTarget[]): string | undefined {
  try {
    const record = JSON.parse(value ?? "") as { primary?: number } | null;
    return targets[record?.primary ?? -1]?.upstream;
  } catch {
    return undefined;
  }
}

export function fieldDifferences(rules: FieldRules, fields: readonly Field[]): Differences {
  return [...rules].flatMap(([name, rule]) => {
    const wanted = fieldWanted(rule, name, valuesOf(fields, name));
    return wanted === undefined
      ? []
      : [`its ${name} is ${quoted(valuesOf(fields, name))}, not ${wanted}`];
  });
}

/** What was wanted of a field, when that is not what it is. */
function fieldWanted(rule: FieldRule, name: string, values: readonly string[]): string | undefined {
  // Cookies are the one field whose values may not be joined (RFC 9110 §5.3).
  const joined =
    name.toLowerCase() === "set-cookie" && values.length > 1 ? undefined : values.join(", ");
  switch (rule.is) {
    case "absent":
      return values.length === 0 ? undefined : "absent";
    case "value":
      return values.length > 0 && joined === rule.value ? undefined : quoted(rule.value);
    case "values":
      return quoted(values) === quoted(rule.values) ? undefined : quoted(rule.values);
    case "containing":
      return values.join(", ").includes(rule.text) ? undefined : `containing ${quoted(rule.text)}`;
  }
}

function checker(differences: Differences) {
  return <T>(what: string, is: T, wanted: T | undefined, same = is === wanted): void => {
    if (wanted !== undefined && !same)
      differences.push(`${what} is ${String(is)}, not ${String(wanted)}`);
  };
}

function line(seen: Seen): string {
  return `${seen.method} ${seen.path}`;
}

function quoted(value: unknown): string {
  return JSON.stringify(value) ?? "nothing";
}

function shown(text: string): string {
  return text.length <= SHOWN
    ? quoted(text)
    : `${quoted(text.slice(0, SHOWN))}… (${text.length} characters)`;
}
