/**
 * The counts for monitoring, as a value and as a line of JSON, the same as Rust hosts
 * write it (`crates/component/src/stats.rs`).
 */

import type { Stats as Taken } from "../engine/interface.js";

/** A histogram of times: how many were no longer than each of `BOUNDS_MS`, and longer than the one before. */
export interface Times {
  /** The last one: longer than all bounds. What is zero to the end is left out. */
  readonly counts: readonly number[];
  readonly sum_ms: number;
}

/** The bounds of the histograms, ms: what OpenTelemetry advises for `http.client.request.duration`. */
export const BOUNDS_MS: readonly number[] = [
  5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
];

/** What an instance has done since it last told. */
export interface Stats {
  /** Over how long. */
  readonly for_ms: number;
  readonly requests: number;
  readonly targets: readonly {
    readonly target: string;
    /** It gets its requests now. */
    readonly healthy: boolean;
    readonly attempts: number;
    /** Of these, after another attempt had failed. */
    readonly retries: number;
    /** Of these, beside another attempt. */
    readonly hedges: number;
    readonly ejections: number;
    readonly failed_probes: number;
    readonly probes: Times;
    readonly answers: readonly {
      readonly method: string;
      readonly status?: number | undefined;
      /** Why there was no status: an error type of RFC 9209. */
      readonly error?: string | undefined;
      readonly times: Times;
    }[];
  }[];
  readonly store: {
    readonly reads: number;
    readonly failed_reads: number;
    readonly writes: number;
    readonly failed_writes: number;
  };
  /** The primary now. */
  readonly primary?: string | undefined;
  /** When the decision was measured, ms since the Unix epoch. */
  readonly measured_at?: number | undefined;
}

export function statsOf(taken: Taken): Stats {
  const { forMs, requests, targets, store, primary, measuredAt } = taken;
  return {
    for_ms: forMs,
    requests,
    targets: targets.map(({ failedProbes, probes, answers, ...counts }) => ({
      ...counts,
      failed_probes: failedProbes,
      probes: timesOf(probes),
      answers: answers.map(({ times, ...one }) => ({ ...one, times: timesOf(times) })),
    })),
    store: {
      reads: store.reads,
      failed_reads: store.failedReads,
      writes: store.writes,
      failed_writes: store.failedWrites,
    },
    primary,
    measured_at: measuredAt,
  };
}

export function statsLine(stats: Stats): string {
  return JSON.stringify({ source: "function-fetch", event: "stats", ...stats });
}

function timesOf({ counts, sum }: { counts: Uint32Array | number[]; sum: number }): Times {
  return { counts: Array.from(counts), sum_ms: sum };
}
