/** A list: an array, or as text a JSON array or what is split on commas and white space. */
type List = string | readonly string[];

/** A target with its preference. */
interface Preferred {
  /** Its address. */
  readonly url: string;
  /** From 1, the first, to 9: it serves when the tiers before have nothing fit. Default `1`. */
  readonly tier?: number;
  /** From 1 to 100: its share of the traffic with `FETCH_SPREAD`, in proportion. Default `1`. */
  readonly weight?: number;
}

/** A number, or its text. */
type Amount = string | number;

/** A boolean, or its text. */
type Flag = string | boolean;

/**
 * The settings, by name: text, as environment variables and bindings are, or
 * the JSON equivalent. A notice names any value that cannot be used, and its
 * default applies.
 */
export interface Settings {
  /**
   * Required: where requests may go. A JSON array, whose entries may be objects of `url`, `tier` and
   * `weight`, or a list split on commas and white space.
   */
  readonly FETCH_TARGETS?: List | readonly (string | Preferred)[] | undefined;
  /** The path that probes request, below the target's base path. Default `/`. */
  readonly FETCH_HEALTH_PATH?: string | undefined;
  /** For each probe, ms. Default `1500`. */
  readonly FETCH_HEALTH_TIMEOUT_MS?: Amount | undefined;
  /** Whether a status of `FETCH_RETRY_STATUSES` is tried elsewhere. Default `true`. */
  readonly FETCH_RETRY_ON_5XX?: Flag | undefined;
  /** The statuses of a target that fails, and ranges of them, from 400 on. Default `500,502-504,506-599`. */
  readonly FETCH_RETRY_STATUSES?: List | readonly (string | number)[] | undefined;
  /** Where the decision is remembered: `memory`, `kv`, `auto` (both), `none`. Default `auto`. */
  readonly FETCH_CACHE_ADAPTER?: List | undefined;
  /** The record's key in the store. Default `proxy:fastest`. */
  readonly FETCH_CACHE_KEY?: string | undefined;
  /** How long it is fresh, seconds. Default `300`. */
  readonly FETCH_CACHE_TTL_SECONDS?: Amount | undefined;
  /** How often the store is read for what other instances have found, seconds; `0`: only before a refresh. */
  readonly FETCH_CACHE_SYNC_SECONDS?: Amount | undefined;
  /** Cloudflare Workers: the KV binding. Default `FASTEST_KV`. */
  readonly FETCH_CACHE_KV_BINDING?: string | undefined;
  /** Alibaba Cloud ESA: the EdgeKV namespace. */
  readonly ESA_KV_NAMESPACE?: string | undefined;
  /** Attempts per request, the first one included. Default `3`. */
  readonly FETCH_MAX_ATTEMPTS?: Amount | undefined;
  /** Until a connection is established, ms. Default `3000`. */
  readonly FETCH_CONNECT_TIMEOUT_MS?: Amount | undefined;
  /** Until a response head, for each attempt, ms; `0`: none. Default `30000`. */
  readonly FETCH_ATTEMPT_TIMEOUT_MS?: Amount | undefined;
  /** Until a response head, for all attempts, ms; `0`: none. Default `60000`. */
  readonly FETCH_DEADLINE_MS?: Amount | undefined;
  /** Methods that may be sent again after a failure. Default `GET,HEAD,OPTIONS`. */
  readonly FETCH_RETRY_METHODS?: List | undefined;
  /** A request body up to this size can be sent again. Default `65536`. */
  readonly FETCH_REPLAY_BODY_BYTES?: Amount | undefined;
  /** How long past its TTL a decision is used while it is refreshed, seconds. Default: one TTL. */
  readonly FETCH_STALE_SECONDS?: Amount | undefined;
  /** By how much a challenger must be faster: a share, a time, or both. Default `20%,10ms`. */
  readonly FETCH_SWITCH_MARGIN?: List | undefined;
  /** Whether traffic is shared by weight among the targets within the margin of the best. Default `false`. */
  readonly FETCH_SPREAD?: Flag | undefined;
  /** `probe`, or `race`: a cold request is itself raced to the targets. Default `probe`. */
  readonly FETCH_COLD_START?: string | undefined;
  /** After how long without a response head a request is hedged to the next target, ms; `0`: never. */
  readonly FETCH_HEDGE_MS?: Amount | undefined;
  /** Probes in flight at once. Default `6`. */
  readonly FETCH_MAX_PROBES?: Amount | undefined;
  /** Whether targets get `x-forwarded-*` fields with the client's address, host and scheme. Default `true`. */
  readonly FETCH_FORWARDED?: Flag | undefined;
  /** Whether what the client sent in `x-forwarded-*` is kept. Default `false`. */
  readonly FETCH_TRUST_FORWARDED?: Flag | undefined;
  /** Whether responses get `proxy-status` and `server-timing`. Default `false`. */
  readonly FETCH_EXPLAIN?: Flag | undefined;
  /** How often an instance tells its counts at most, a line of JSON for monitoring, seconds. Default: off. */
  readonly FETCH_STATS_SECONDS?: Amount | undefined;
  /** The path of the status page, which no target gets requests for. Default: off. */
  readonly FETCH_STATUS_PATH?: string | undefined;
  /** The token of the status page, at least 16 characters: without it nobody may see the page. */
  readonly FETCH_STATUS_TOKEN?: string | undefined;
}
