/** The connections to the targets: one pool for each origin. */

import { Pool } from "undici";
import type { Configuration } from "../engine/interface.js";
import { StreamingAgents } from "./streamed.js";

/**
 * How long an unused connection is kept, ms. Under the 60 and 75 s after which
 * common servers close theirs; those that close sooner and say so are heeded.
 */
const KEEP_ALIVE = 55_000;

/** The options of all pools. */
function options(configuration: Configuration): Pool.Options {
  return {
    // Which target a request goes to is decided elsewhere: none waits here.
    pipelining: 1,
    // All waiting is timed by the driver; undici's timers would cut silent streams.
    headersTimeout: 0,
    bodyTimeout: 0,
    connectTimeout: configuration.connectTimeout,
    keepAliveTimeout: KEEP_ALIVE,
    // Framing, trailers and upgrades are passed on as HTTP/1.1 has them.
    allowH2: false,
  };
}

export class Pools {
  readonly streaming = new StreamingAgents();
  private readonly pools = new Map<string, Pool>();

  constructor(configuration: Configuration) {
    for (const { origin } of configuration.targets) {
      if (!this.pools.has(origin)) this.pools.set(origin, new Pool(origin, options(configuration)));
    }
  }

  of(origin: string): Pool {
    const pool = this.pools.get(origin);
    if (pool === undefined) throw new RangeError(`no target is at ${origin}`);
    return pool;
  }

  /** Lets what is under way end, then closes all connections. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.pools.values(), (pool) => pool.close()));
    this.streaming.close();
  }
}
