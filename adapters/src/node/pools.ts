/** The connections to the targets: one pool for each origin. */

import { buildConnector, Client, type Dispatcher, Pool } from "undici";
import type { Configuration } from "../engine/interface.js";
import { Attempt, type Carrier } from "./attempt.js";
import { KEEP_ALIVE, KEEP_ALIVE_MARGIN, KeptConnections } from "./kept.js";
import { hearOut } from "./last-words.js";

/** A client of a pool has one connection at a time; this one knows whether it was used before. */
class Kept extends Client implements Carrier {
  used = false;

  constructor(origin: string | URL, options: Client.Options) {
    super(origin, options);
    this.on("connect", () => {
      this.used = false;
    });
  }

  override dispatch(
    options: Dispatcher.DispatchOptions,
    handler: Dispatcher.DispatchHandler,
  ): boolean {
    if (handler instanceof Attempt) handler.carrier = this;
    return super.dispatch(options, handler);
  }
}

function connector(timeout: number): buildConnector.connector {
  const connect = buildConnector({ timeout, allowH2: false });
  return (to, callback) => {
    connect(to, (...connected) => {
      if (connected[0] === null) hearOut(connected[1]);
      callback(...connected);
    });
  };
}

/** The options of all pools. */
function options({ connectTimeout }: Configuration, longestHead: number): Pool.Options {
  return {
    // Which target a request goes to is decided elsewhere: none waits here.
    pipelining: 1,
    // All waiting is timed by the driver; undici's timers would cut silent streams.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: connector(connectTimeout),
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN,
    maxHeaderSize: longestHead,
    // Framing, trailers and upgrades are passed on as HTTP/1.1 has them.
    allowH2: false,
    factory: (origin, given) => new Kept(origin, given),
  };
}

export class Pools {
  readonly streaming = new KeptConnections();
  /**
   * Origins that have framed an answer twice (RFC 9112 §6.3), which undici's
   * parser does not take: they are asked by the client of Node.js.
   */
  readonly framedTwice = new Set<string>();
  private readonly pools = new Map<string, Pool>();

  /** `longestHead`: of an answer, bytes. */
  constructor(
    private readonly configuration: Configuration,
    readonly longestHead: number,
  ) {
    for (const { origin } of configuration.targets) {
      if (this.pools.has(origin)) continue;
      this.pools.set(origin, new Pool(origin, options(configuration, longestHead)));
    }
  }

  of(origin: string): Dispatcher {
    const pool = this.pools.get(origin);
    if (pool === undefined) throw new RangeError(`no target is at ${origin}`);
    return pool;
  }

  /** For one request: a connection that nothing else has used. */
  fresh(origin: string): Client {
    const { factory: _, ...given } = options(this.configuration, this.longestHead);
    return new Client(origin, given);
  }

  /** Lets what is under way end, then closes all connections. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.pools.values(), (pool) => pool.close()));
    this.streaming.close();
  }
}
