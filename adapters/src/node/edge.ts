/** One configuration on Node.js: its engine, its connections, its work behind the responses. */

import { FieldRules } from "../driver/headers.js";
import type { Background, Store } from "../driver/platform.js";
import { type Outcome, Proxy as ReverseProxy } from "../driver/proxy.js";
import { instantiate } from "../engine/node.js";
import type { Settings } from "../settings.js";
import type { Answer } from "./answer.js";
import { LONGEST_HEAD } from "./heads.js";
import { Inbound, type Origins } from "./inbound.js";
import { NodePlatform } from "./platform.js";
import { Pools } from "./pools.js";
import { RequestFields } from "./request-fields.js";
import { settingsOf } from "./settings.js";

/** A store as users bring it. Either may fail, or take its time. */
export interface StoreOption {
  get(key: string): Promise<string | null | undefined>;
  /** `ttlSeconds`: after so long nobody would use the value any more. */
  put(key: string, value: string, ttlSeconds: number): Promise<unknown>;
}

export interface Options {
  /** Settings; those that are not here are taken from `process.env`. */
  readonly env?: Settings | undefined;
  /** Where the decision is shared among processes (L2). Without it: in memory alone. */
  readonly store?: StoreOption | undefined;
  /**
   * The longest head of a target's answer, bytes; a longer one is a failed
   * attempt. Default 65536. That of requests is your server's `maxHeaderSize`.
   */
  readonly maxHeadBytes?: number | undefined;
  /** Hears of changes, a line of JSON each. By default they go to stderr. */
  readonly log?: ((line: string) => void) | undefined;
}

export class Edge {
  readonly rules: FieldRules;
  readonly proxy: ReverseProxy<Inbound, Answer>;
  private readonly requestFields: RequestFields;
  private readonly pools: Pools;
  private readonly work = new Set<Promise<void>>();
  private closed: Promise<void> | undefined;

  constructor(options: Options) {
    const engine = instantiate();
    const configuration = engine.configure(
      settingsOf(engine, options.env),
      options.store === undefined ? {} : { store: "custom" },
      Math.random(),
    );
    this.rules = new FieldRules(configuration);
    this.requestFields = new RequestFields(configuration, this.rules);
    this.pools = new Pools(configuration, longestHead(options.maxHeadBytes));
    const store = options.store === undefined ? undefined : storeOf(options.store);
    const platform = new NodePlatform(configuration, this.pools, store, options.log ?? toStderr);
    this.proxy = new ReverseProxy(engine, configuration, platform);
    if (configuration.targets.length === 0) {
      this.tell("no_targets", "every request gets 500, which says why; set FETCH_TARGETS");
    }
  }

  inbound(from: Origins): Inbound {
    return new Inbound(from, this.requestFields);
  }

  serve(request: Inbound): Promise<Outcome<Answer>> {
    return this.proxy.serve(request, { request, background: this.background });
  }

  /** A line for the operator, of what the engine knows nothing of. */
  tell(event: string, reason: string): void {
    this.proxy.platform.notice(JSON.stringify({ source: "function-fetch", event, reason }));
  }

  /** Waits for what is under way, the work behind the responses too. */
  close(): Promise<void> {
    this.closed ??= this.finish();
    return this.closed;
  }

  private async finish(): Promise<void> {
    while (this.work.size > 0) await Promise.all(this.work);
    await this.pools.close();
  }

  private readonly background: Background = (work) => {
    this.work.add(work);
    void work.finally(() => this.work.delete(work));
  };
}

function longestHead(bytes = LONGEST_HEAD): number {
  if (Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw new TypeError(`the option \`maxHeadBytes\` is ${bytes}: give a whole number of bytes`);
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

function toStderr(line: string): void {
  process.stderr.write(`${line}\n`);
}
