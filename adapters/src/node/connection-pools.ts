/** The connections to the targets: a pool for each origin. */

import { buildConnector, Client, type Dispatcher, Pool } from "undici";
import type { Configuration } from "../engine/interface.js";
import { Attempt, type Carrier } from "./attempt.js";
import type { Connecting, TlsOptions } from "./connecting.js";
import { KEEP_ALIVE, KEEP_ALIVE_MARGIN, KeepAliveAgents } from "./keep-alive.js";
import { deferWriteErrors } from "./write-errors.js";

/** A pool's client has one connection at a time; this one tracks whether it was used before. */
class TrackedClient extends Client implements Carrier {
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

function connector(timeout: number, tls: TlsOptions): buildConnector.connector {
  const connect = buildConnector({ ...tls, timeout, allowH2: false });
  return (to, callback) => {
    connect(to, (...connected) => {
      if (connected[0] === null) deferWriteErrors(connected[1]);
      callback(...connected);
    });
  };
}

/** Limits on targets. */
export interface UpstreamLimits {
  /** The longest head of a response. */
  readonly maxHeadBytes: number;
  /** How long a target may pause within a response body, ms. */
  readonly idleTimeout: number;
}

/** The options of all pools. */
function options(
  { connectTimeout }: Configuration,
  limits: UpstreamLimits,
  tls: TlsOptions,
): Pool.Options {
  return {
    // Requests do not queue behind each other on a connection.
    pipelining: 1,
    // The driver has the time-outs up to the response's head.
    headersTimeout: 0,
    // Between two chunks, while the client reads.
    bodyTimeout: limits.idleTimeout,
    connect: connector(connectTimeout, tls),
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN,
    maxHeaderSize: limits.maxHeadBytes,
    // Framing, trailers and upgrades are passed on in HTTP/1.1's form.
    allowH2: false,
    factory: (origin, given) => new TrackedClient(origin, given),
  };
}

export class ConnectionPools {
  readonly streaming: KeepAliveAgents;
  /** The user's own, in place of all pools. */
  readonly custom: Dispatcher | undefined;
  readonly tls: TlsOptions;
  /**
   * Origins whose response had both a `content-length` and a `transfer-encoding`
   * (RFC 9112 §6.3), which undici's parser refuses: they get the client of `node:http`.
   */
  readonly conflictingFraming = new Set<string>();
  private readonly pools = new Map<string, Pool>();

  constructor(
    private readonly configuration: Configuration,
    readonly limits: UpstreamLimits,
    { dispatcher, tls }: Connecting,
  ) {
    this.streaming = new KeepAliveAgents(tls);
    this.custom = dispatcher;
    this.tls = tls;
    for (const { origin } of configuration.targets) {
      if (dispatcher !== undefined || this.pools.has(origin)) continue;
      this.pools.set(origin, new Pool(origin, options(configuration, limits, tls)));
    }
  }

  of(origin: string): Dispatcher {
    const pool = this.pools.get(origin);
    if (pool === undefined) throw new RangeError(`no target is at ${origin}`);
    return pool;
  }

  /** A new connection for one request. */
  fresh(origin: string): Client {
    const { factory: _, ...given } = options(this.configuration, this.limits, this.tls);
    return new Client(origin, given);
  }

  /** Waits for what is under way, then closes all connections. */
  async close(): Promise<void> {
    await Promise.all(Array.from(this.pools.values(), (pool) => pool.close()));
    this.streaming.close();
  }
}
