/** One configuration on Node.js: its engine, its connections, its background work. */

import { FieldRules } from "../driver/headers.js";
import type { Background } from "../driver/platform.js";
import { type Outcome, ReverseProxy } from "../driver/reverse-proxy.js";
import { isStatus, statusReply } from "../driver/status.js";
import { instantiate } from "../engine/node.js";
import { type Hooks, hooksOf } from "../hooks.js";
import { assertKnown, type SettingOptions, settingsOf } from "../options.js";
import { type ReportingOptions, reportingOf, withStats } from "../reporting.js";
import type { Settings } from "../settings.js";
import { type StoreOption, storeOf } from "../store-option.js";
import { type ConnectingOptions, connectingOf } from "./connecting.js";
import { ConnectionPools } from "./connection-pools.js";
import { Inbound, type Origins } from "./inbound.js";
import { NodePlatform } from "./platform.js";
import { RequestFields } from "./request-fields.js";
import { MAX_HEAD_BYTES } from "./response-head.js";
import type { UpstreamResponse } from "./upstream-response.js";

export interface Options extends SettingOptions, ReportingOptions, Hooks, ConnectingOptions {
  /** Settings by their own names; those missing here too are taken from `process.env`. */
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
}

/** The options that are no settings. */
const OTHERS: Readonly<Record<Exclude<keyof Options, keyof SettingOptions>, true>> = {
  env: true,
  store: true,
  maxHeadBytes: true,
  clientBodyTimeout: true,
  upstreamIdleTimeout: true,
  tls: true,
  dispatcher: true,
  log: true,
  onEvent: true,
  onStats: true,
  onRequest: true,
  onResponse: true,
};

/** Longer than a server-sent event stream is usually silent, ms. */
const UPSTREAM_IDLE_TIMEOUT = 600_000;

export class Edge {
  readonly rules: FieldRules;
  readonly proxy: ReverseProxy<Inbound, UpstreamResponse>;
  /** See `Options.clientBodyTimeout`. */
  readonly clientBodyTimeout: number;
  readonly hooks: Hooks | undefined;
  private readonly requestFields: RequestFields;
  private readonly pools: ConnectionPools;
  private readonly work = new Set<Promise<void>>();
  private closed: Promise<void> | undefined;
  private readonly telling: ReturnType<typeof setInterval> | undefined;

  constructor(options: Options) {
    const engine = instantiate();
    const names = engine.settingNames();
    assertKnown(options, names, Object.keys(OTHERS));
    const environment = (name: string) => process.env[name];
    const settings = settingsOf(names, { options, env: options.env, environment });
    this.hooks = hooksOf(options);
    const store = storeOf(options.store);
    const configuration = engine.configure(
      withStats(settings, options),
      options.store === undefined ? {} : { store: "custom" },
      Math.random(),
    );
    this.rules = new FieldRules(configuration);
    this.requestFields = new RequestFields(configuration, this.rules);
    this.clientBodyTimeout = checked(options, "clientBodyTimeout", 0, 0);
    const limits = {
      maxHeadBytes: checked(options, "maxHeadBytes", MAX_HEAD_BYTES, 1),
      idleTimeout: checked(options, "upstreamIdleTimeout", UPSTREAM_IDLE_TIMEOUT, 1),
    };
    this.pools = new ConnectionPools(configuration, limits, connectingOf(options));
    const platform = new NodePlatform(
      configuration,
      this.pools,
      store,
      reportingOf(options, toStderr),
      this.hooks?.onResponse !== undefined,
    );
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

  /** `waitUntil`: of a host that would else end with the response. */
  serve(
    request: Inbound,
    waitUntil?: (work: Promise<void>) => void,
  ): Promise<Outcome<UpstreamResponse>> {
    if (isStatus(this.proxy.configuration, request.path)) return this.status(request);
    const background: Background =
      waitUntil === undefined
        ? this.background
        : (work) => {
            this.background(work);
            waitUntil(work);
          };
    return this.proxy.serve(request, { request, background });
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

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
