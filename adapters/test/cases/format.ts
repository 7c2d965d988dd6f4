/** What a case says: tests/cases/README.md explains each member. */

import type { Behaviour } from "../support/behaviour.js";
import type { Field } from "../support/fields.js";

/** The hosts that a case may make an exception for. */
export const HOSTS: ReadonlySet<string> = new Set([
  "engine",
  "embedded",
  "wasmtime",
  "embedded-0.2",
  "wasmtime-0.2",
  "workers",
  "node",
  "esa",
  "esa-deno",
]);

/** What a header field of an answer, or of a request that was seen, must be. */
export type FieldRule =
  | { readonly is: "value"; readonly value: string }
  | { readonly is: "values"; readonly values: readonly string[] }
  | { readonly is: "absent" }
  | { readonly is: "containing"; readonly text: string };

export type FieldRules = ReadonlyMap<string, FieldRule>;

export interface RequestPlan {
  readonly method: string;
  readonly path: string;
  readonly headers: readonly Field[];
  readonly body: string | undefined;
  readonly chunked: boolean;
}

export interface ResponseRule {
  readonly status: number | undefined;
  readonly headers: FieldRules;
  readonly body: string | undefined;
  readonly bodyContains: readonly string[];
  readonly bodyBytes: number | undefined;
  readonly trailers: FieldRules;
  readonly broken: boolean;
}

export interface SeenRule {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: FieldRules;
  readonly body: string | undefined;
  readonly bodyBytes: number | undefined;
}

export interface ProbesRule {
  readonly count: number;
  readonly atLeast: boolean;
}

export type Step =
  | {
      readonly does: "request";
      readonly request: RequestPlan;
      readonly response: ResponseRule | undefined;
      readonly seen: ReadonlyMap<string, readonly SeenRule[]> | undefined;
    }
  | { readonly does: "wait"; readonly probes: ReadonlyMap<string, number> }
  | { readonly does: "upstreams"; readonly upstreams: ReadonlyMap<string, Behaviour> }
  | { readonly does: "probes"; readonly probes: ReadonlyMap<string, ProbesRule> }
  | { readonly does: "sleep"; readonly ms: number };

/** A record that is to be made of the case's targets. */
export interface RecordPlan {
  readonly age: number;
  readonly primary: string;
  readonly ms: ReadonlyMap<string, number>;
  readonly n: ReadonlyMap<string, number>;
  /** What is put in place of what a sound record says. */
  readonly but?: Readonly<Record<string, unknown>>;
}

export type StorePlan =
  | { readonly holds: "raw"; readonly raw: string }
  | { readonly holds: "record"; readonly record: RecordPlan };

export type StoreRule =
  | { readonly is: "raw"; readonly raw: string }
  | { readonly is: "record"; readonly primary: string }
  | { readonly is: "empty" };

/** What one host does of a case, with every placeholder filled in. */
export interface Plan {
  readonly settings: ReadonlyMap<string, string | null>;
  readonly targets: readonly string[] | undefined;
  readonly upstreams: ReadonlyMap<string, Behaviour>;
  readonly store: StorePlan | undefined;
  readonly steps: readonly Step[];
  readonly storeAfter: StoreRule | undefined;
}

/** The members of a case that an exception may replace. */
export const REPLACEABLE = [
  "settings",
  "targets",
  "upstreams",
  "store",
  "steps",
  "store_after",
] as const;
