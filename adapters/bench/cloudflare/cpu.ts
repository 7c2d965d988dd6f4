/**
 * CPU per warm request, compared with a bare pass-through Worker: in pairs,
 * alternating within one run.
 */

import type { Module } from "../../test/cloudflare/bundle.js";
import { Workerd } from "../../test/cloudflare/workerd.js";
import { Client, type Load } from "./load.js";
import { median } from "./median.js";

/** Warms up the compilers of both. */
const WARM_UP = 4_000;
const PIECE = 2_000;

export interface Costs {
  /** CPU per request, µs. */
  readonly bare: number;
  readonly proxy: number;
  /** The median of the pairs' ratios. */
  readonly ratio: number;
}

export async function cpu(
  bare: readonly Module[],
  proxy: readonly Module[],
  target: string,
  load: Load,
  pairs: number,
): Promise<Costs> {
  const workers = [
    await Workerd.start(bare, { TARGET: target }),
    await Workerd.start(proxy, { FETCH_TARGETS: target }),
  ] as const;
  const clients = [new Client(workers[0].port), new Client(workers[1].port)] as const;
  const totals = [0, 0];
  const ratios: number[] = [];
  try {
    for (const client of clients) await client.send(WARM_UP, load);
    for (let pair = 0; pair < pairs; pair += 1) {
      const cost = [0, 0];
      // Which one goes first alternates, too.
      for (const which of pair % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        const before = workers[which].cpu;
        await clients[which].send(PIECE, load);
        cost[which] = ((workers[which].cpu - before) * 1_000) / PIECE;
      }
      const [one = 0, other = 0] = cost;
      ratios.push(other / one);
      totals[0] = (totals[0] ?? 0) + one / pairs;
      totals[1] = (totals[1] ?? 0) + other / pairs;
    }
  } finally {
    for (const client of clients) await client.close();
    for (const worker of workers) worker.stop();
  }
  const ratio = median(ratios);
  return { bare: totals[0] ?? 0, proxy: totals[1] ?? 0, ratio };
}
