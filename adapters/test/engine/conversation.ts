/**
 * A long random conversation that two engines can be put through alike: the
 * same for the same seed.
 */

import type {
  Engine,
  Event,
  Failure,
  ProbeResult,
  ReplayState,
  Round,
  Step,
  Stored,
} from "../../src/engine/interface.js";

const FAILURES: readonly Failure[] = [
  "dns-error",
  "destination-unavailable",
  "connection-refused",
  "connection-timeout",
  "connection-limit-reached",
  "tls-protocol-error",
  "tls-certificate-error",
  "http-request-denied",
  "connection-terminated",
  "http-response-incomplete",
  "http-protocol-error",
  "http-request-uri-invalid",
  "http-request-header-section-size",
  "http-request-length-required",
  "http-response-header-section-size",
  "http-response-transfer-coding",
  "internal-error",
  "attempt-timeout",
  "deadline-exceeded",
  "target-lost",
];
const REPLAYS: readonly ReplayState[] = ["unsent", "replayable", "consumed", "aborted"];
const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "CONNECT", "PROPFIND", ""];
const PATHS = ["", "/", "/a/..", "/..", "/%2e%2E/", "/a;b/..%2f..", "%", "\u0000"];
const AGES = [undefined, "0", "30"];
const STATUSES = [200, 204, 301, 404, 429, 500, 501, 502, 503, 504, 505];

/** Mulberry32 (Tommy Ettinger): enough for a test, and four lines. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Settings that exercise every part of the engine. */
export const SETTINGS: [string, string][] = [
  [
    "FETCH_TARGETS",
    `["https://a.example", "http://b.example:8080/base", {"url": "https://c.example", "weight": 3},
      {"url": "https://d.example/", "tier": 2}]`,
  ],
  ["FETCH_RETRY_STATUSES", "429, 500, 502-504"],
  ["FETCH_HEALTH_PATH", "/health?deep=1"],
  ["FETCH_CACHE_TTL_SECONDS", "10"],
  ["FETCH_CACHE_SYNC_SECONDS", "1"],
  ["FETCH_HEDGE_MS", "200"],
  ["FETCH_EXPLAIN", "yes"],
  ["FETCH_MAX_PROBES", "9"],
  ["FETCH_NO_SUCH", "x"],
  ["FETCH_SWITCH_MARGIN", "some"],
];

/**
 * Runs `requests` requests, with rounds of probes, the store and notices, and
 * yields what the engine said to each call.
 */
export function* converse(engine: Engine, seed: number, requests: number): Generator<unknown> {
  const roll = random(seed);
  const one = <T>(of: readonly T[]): T => of[Math.floor(roll() * of.length)] as T;
  let now = 1_800_000_000_000;
  let store: Stored | undefined;
  let rounds: Round[] = [];
  const running = new Set<number>();

  function outcome(): ProbeResult {
    return roll() < 0.8
      ? { tag: "response", val: { status: one(STATUSES), age: one(AGES) } }
      : { tag: "failed", val: one(FAILURES) };
  }

  /** What happens to the attempts that run: one ends, or the timer fires. */
  function ofAttempts(): Event {
    const targets = [...running];
    if (roll() < 0.3) {
      const waited = targets.map((target) => ({ target, time: roll() * 70_000 }));
      return { tag: "timer", val: waited };
    }
    const target = one(targets);
    running.delete(target);
    if (roll() < 0.3) {
      return { tag: "failed", val: { target, failure: one(FAILURES), replay: one(REPLAYS) } };
    }
    return {
      tag: "response",
      val: {
        target,
        status: one(STATUSES),
        ...(roll() < 0.2 ? { retryAfter: String(Math.floor(roll() * 1e3)) } : {}),
        ttfb: roll() * 300,
        replay: one(REPLAYS),
      },
    };
  }

  function event(step: Step): Event | undefined {
    switch (step.action.tag) {
      case "read-store":
        if (roll() < 0.1) return { tag: "store-failed" };
        return { tag: "store-read", val: roll() < 0.1 ? { tag: "text", val: "no record" } : store };
      case "await-round":
        return { tag: "round-ready" };
      case "send":
        running.add(step.action.val.target);
        return ofAttempts();
      case "wait":
        return ofAttempts();
      case "cancel": {
        const { target, failure } = step.action.val;
        running.delete(target);
        return { tag: "failed", val: { target, failure, replay: one(REPLAYS) } };
      }
      default:
        return undefined;
    }
  }

  function* background(): Generator<unknown> {
    const still: Round[] = [];
    for (const round of rounds) {
      if (roll() < 0.3) {
        still.push(round);
        continue;
      }
      if (round.readStore) {
        const settled = engine.roundReadStore(store, now);
        yield settled;
        if (settled) continue;
      }
      for (const target of round.targets) {
        yield engine.probed(round.id, target, outcome(), roll() * 100, now);
      }
      const next = engine.finishRound(round.id, now);
      yield next;
      if (next !== undefined) still.push(next);
    }
    rounds = still;
  }

  function* beside(step: Step): Generator<unknown> {
    if (step.notices) yield engine.takeNotices(now);
    if (step.round) {
      const round = engine.startRound(now);
      yield round;
      if (round !== undefined) rounds.push(round);
    }
    if (step.write) {
      const write = engine.takeWrite(now);
      yield write;
      store = write && { tag: "record", val: write.record };
      engine.storeWritten(roll() < 0.9);
    }
  }

  for (let request = 0; request < requests; request += 1) {
    now += roll() < 0.02 ? 20_000 * roll() : 200 * roll();
    let step = engine.begin(one(METHODS), one(PATHS), Math.floor(roll() * 6), roll() < 0.3, now);
    yield step;
    for (;;) {
      yield* beside(step);
      yield* background();
      now += 50 * roll();
      const said = event(step);
      if (said === undefined) break;
      step = engine.settle(step.state, said, now);
      yield step;
    }
    running.clear();
    yield [engine.explain(step.state, 200), engine.roundIsReady(now)];
  }
}
