/** What `onEvent` gets: the notices, as objects. */

/** Something that changed, or is wrong. New kinds may be added. */
export type Event = { readonly source: "function-fetch" } & (
  | {
      readonly event: "primary_changed";
      /** The primary before, where there was one. */
      readonly from?: string;
      readonly to: string;
      readonly reason: "probed" | "store" | "failover" | "recovered";
    }
  | {
      readonly event: "ejected";
      readonly target: string;
      /** The failure, or `status 503` and the like. */
      readonly reason: string;
      /** For how long. */
      readonly for_ms: number;
    }
  | { readonly event: "recovered"; readonly target: string }
  | { readonly event: "no_healthy_target" }
  | {
      readonly event: "denied" | "health_path_cached";
      readonly target: string;
      /** What to change. */
      readonly remedy: string;
    }
  | { readonly event: "store_failed"; readonly operation: "read" | "write" }
  | { readonly event: "bad_setting"; readonly setting: string; readonly reason: string }
  | { readonly event: "no_targets" | "error"; readonly reason: string }
);
