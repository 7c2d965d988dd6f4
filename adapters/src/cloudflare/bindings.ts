/** What `env` holds for Function Fetch. */

import type { Settings } from "../settings.js";
import type { Namespace } from "./store.js";

/** A Worker's bindings: the settings as variables or secrets, and the KV namespace under the name that they give. */
export interface Bindings extends Settings {
  /** The namespace for the shared decision, unless `FETCH_CACHE_KV_BINDING` names another binding. */
  readonly FASTEST_KV?: Namespace | undefined;
}

const USUAL_BINDING = "FASTEST_KV";

/** The namespace that the settings name, or a problem to report when that binding is not one. */
export function namespaceOf(
  env: object,
  settings: readonly (readonly [string, string])[],
): { namespace?: Namespace; problem?: string } {
  const named = settings.find(([name]) => name === "FETCH_CACHE_KV_BINDING")?.[1].trim();
  const binding = named || USUAL_BINDING;
  const bound: unknown = Reflect.get(env, binding);
  if (isNamespace(bound)) return { namespace: bound };
  // A namespace is optional; its absence is a problem only where a setting names one.
  if (bound === undefined && !named) return {};
  const reason =
    `there is no KV namespace bound as ${binding}; the decision is kept in memory only. ` +
    `Add {"binding": "${binding}", "id": "..."} to kv_namespaces in wrangler.jsonc`;
  return { problem: reason };
}

function isNamespace(bound: unknown): bound is Namespace {
  return (
    typeof bound === "object" &&
    bound !== null &&
    "get" in bound &&
    typeof bound.get === "function" &&
    "put" in bound &&
    typeof bound.put === "function"
  );
}
