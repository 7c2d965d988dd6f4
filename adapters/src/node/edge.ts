/** One configuration on Node.js: its engine, its connections, its background work. */

import { FieldRules } from "../driver/headers.js";
import type { Background, Store } from "../driver/platform.js";
import { type Outcome, ReverseProxy } from "../driver/reverse-proxy.js";
import { type Stats, statsLine } from "../driver/stats.js";
import { isStatus, statusReply } from "../driver/status.js";
import { instantiate } from "../engine/node.js";
import type { Settings } from "../settings.js";
import { ConnectionPools } from "./connection-pools.js";
import type { Event } from "./event.js";
import { Inbound, type Origins } from "./inbound.js";
import { NodePlatform } from "./platform.js";
import { RequestFields } from "./request-fields.js";
import { MAX_HEAD_BYTES } from "./response-head.js";
import { settingsOf } from "./settings.js";
import type { UpstreamResponse } from "./upstream-response.js";

/** A store that the user provides. Either method may fail, or be slow. */
export interface StoreOption {
  get(key: string): Promise<string | null | undefined>;
  /** `ttlSeconds`: how long the value can be of use. */
  put(key: string, value: string, ttlSeconds: number): Promise<unknown>;
}

export interface Options {
  /** Settings; those missing here are taken from `process.env`. */
  readonly env?: Settings | undefined;
  /** Where the decision is shared among processes (L2). Without it: memory only. */
  readonly store?: StoreOption | undefined;
  /**
   * The longest head of a target's response, bytes; a longer one is a failed
   * attempt. Default 65536. For requests, your server's `maxHeaderSize` applies.
   */
  readonly maxHeadBytes?: number | undefined;
  /**
   * How long the next chunk of a client's body is waited for, ms; then the request is
   * broken off. Default 0: as long as your server lets the client take.
   */
  readonly clientBodyTimeout?: number | undefined;
  /**
   * How long a target may pause within a response body before the response is broken
   * off, ms. Default 600000.
   */
  readonly upstreamIdleTimeout?: number | undefined;
  /** Gets the notices, one line of JSON each. By default they go to stderr. */
  readonly log?: ((line: string) => void) | undefined;
  /** Gets each notice as an object. Without `log` the lines are then not written. */
  readonly onEvent?: ((event: Event) => void) | undefined;
  /**
   * Gets the counts for monitoring, every `FETCH_STATS_SECONDS` in which there was
   * something to count (10 unless it is set), and at `close`. Without it they go the
   * way of the notices, as lines, if the setting is set.
   */
  readonly onStats?: ((stats: Stats) => void) | undefined;
}

/** Longer than a server-sent event stream is usually silent, ms. */
const UPSTREAM_IDLE_TIMEOUT = 600_000;

/** How often `onStats` is called unless this is set, s. */
const STATS = "FETCH_STATS_SECONDS";
const STATS_SECONDS = "10";

export class Edge {
  readonly rules: FieldRules;
  readonly proxy: ReverseProxy<Inbound, UpstreamResponse>;
  /** See `Options.clientBodyTimeout`. */
  readonly clientBodyTimeout: number;
  private readonly requestFields: RequestFields;
  private readonly pools: ConnectionPools;
  private readonly work = new Set<Promise<void>>();
  private closed: Promise<void> | undefined;
  private readonly telling: ReturnType<typeof setInterval> | undefined;

  constructor(options: Options) {
    const engine = instantiate();
    const settings = settingsOf(engine, options.env);
    if (options.onStats !== undefined && !settings.some(([name]) => name === STATS)) {
      settings.push([STATS, STATS_SECONDS]);
    }
    const configuration = engine.configure(
      settings,
      options.store === undefined ? {} : { store: "custom" },
      Math.random(),
    );
    this.rules = new FieldRules(configuration);
    this.requestFields = new RequestFields(configuration, this.rules);
    this.clientBodyTimeout = checked(options, "clientBodyTimeout", 0, 0);
    this.pools = new ConnectionPools(configuration, {
      maxHeadBytes: checked(options, "maxHeadBytes", MAX_HEAD_BYTES, 1),
      idleTimeout: checked(options, "upstreamIdleTimeout", UPSTREAM_IDLE_TIMEOUT, 1),
    });
    const store = options.store === undefined ? undefined : storeOf(options.store);
    const log = logOf(options);
    const stats = options.onStats ?? ((stats: Stats) => log(statsLine(stats)));
    const platform = new NodePlatform(configuration, this.pools, store, log, stats);
    this.proxy = new ReverseProxy(engine, configuration, platform);
    if (configuration.targets.length === 0) {
      this.notice("no_targets", "every request gets a 500 with the reason; set FETCH_TARGETS");
    }
    if (configuration.statsAfter > 0) {
      this.telling = setInterval(() => this.proxy.tellStats(true), configuration.statsAfter);
      this.telling.unref();
    }
  }

  inbound(from: Origins): Inbound {
    return new Inbound(from, this.requestFields);
  }

  serve(request: Inbound): Promise<Outcome<UpstreamResponse>> {
    if (isStatus(this.proxy.configuration, request.path)) return this.status(request);
    return this.proxy.serve(request, { request, background: this.background });
  }

  private async status(request: Inbound): Promise<Outcome<UpstreamResponse>> {
    const { statusFormBytes, statusFormTimeout } = this.proxy.configuration;
    const { method, scheme } = request;
    const reply = await statusReply(this.proxy, {
      method,
      scheme,
      field: (name) => request.field(name),
      form: () => request.text(statusFormBytes, statusFormTimeout),
    });
    return { reply };
  }

  /** A notice that does not come from the engine. */
  notice(event: string, reason: string): void {
    this.proxy.platform.notice(JSON.stringify({ source: "function-fetch", event, reason }));
  }

  /** Waits for what is under way, background work included. */
  close(): Promise<void> {
    this.closed ??= this.finish();
    return this.closed;
  }

  private async finish(): Promise<void> {
    while (this.work.size > 0) await Promise.all(this.work);
    await this.pools.close();
    clearInterval(this.telling);
    this.proxy.tellStats(true);
  }

  private readonly background: Background = (work) => {
    this.work.add(work);
    void work.finally(() => this.work.delete(work));
  };
}

type Limit = "maxHeadBytes" | "clientBodyTimeout" | "upstreamIdleTimeout";

/** The longest delay that a timer of Node.js has. */
const MOST = 2 ** 31 - 1;

function checked(options: Options, name: Limit, byDefault: number, least: number): number {
  const value = options[name] ?? byDefault;
  if (Number.isSafeInteger(value) && value >= least && value <= MOST) return value;
  const unit = name === "maxHeadBytes" ? "bytes" : "milliseconds";
  throw new TypeError(
    `the option \`${name}\` is ${value}: give a whole number of ${unit} from ${least} to ${MOST}`,
  );
}

function storeOf(store: StoreOption): Store {
  if (typeof store.get !== "function" || typeof store.put !== "function") {
    throw new TypeError("the option `store` needs the methods `get` and `put`");
  }
  return {
    get: (key) => store.get(key),
    put: async (key, value, ttlSeconds) => {
      await store.put(key, value, ttlSeconds);
    },
  };
}

/** Where notices go. */
function logOf({ log, onEvent }: Options): (line: string) => void {
  if (onEvent === undefined) return log ?? toStderr;
  return (line) => {
    log?.(line);
    onEvent(JSON.parse(line) as Event);
  };
}

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
