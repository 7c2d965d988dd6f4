/**
 * CPU from the start of workerd until the first response, against a bare
 * pass-through Worker: what Cloudflare limits, and on an idle machine the time it takes.
 */

import { setImmediate as turn } from "node:timers/promises";
import type { Module } from "../../test/cloudflare/bundle.js";
import { Workerd } from "../../test/cloudflare/workerd.js";
import { Wire } from "../../test/support/wire.js";
import { median } from "./median.js";

/** A start that takes longer has failed, ms. */
const LONGEST = 20_000;

export interface Starts {
  /** Until the first response, CPU ms. */
  readonly bare: number;
  readonly proxy: number;
  /** The proxy's additional CPU time: the median of the pairs' differences. */
  readonly more: number;
}

export async function startup(
  bare: readonly Module[],
  proxy: readonly Module[],
  target: string,
  pairs: number,
): Promise<Starts> {
  const took = { bare: [] as number[], proxy: [] as number[], more: [] as number[] };
  // The start is measured, so nothing is probed.
  const settings = { FETCH_TARGETS: target, FETCH_CACHE_ADAPTER: "none" };
  for (let pair = 0; pair < pairs; pair += 1) {
    const one = await firstResponse(bare, { TARGET: target });
    const other = await firstResponse(proxy, settings);
    took.bare.push(one);
    took.proxy.push(other);
    took.more.push(other - one);
  }
  return { bare: median(took.bare), proxy: median(took.proxy), more: median(took.more) };
}

async function firstResponse(modules: readonly Module[], bindings: object): Promise<number> {
  const started = performance.now();
  const workerd = await Workerd.launch(modules, bindings);
  try {
    while (performance.now() - started < LONGEST) {
      if (await isAnswered(workerd.port)) return workerd.cpu;
      await turn();
    }
    throw new Error(`workerd did not answer within ${LONGEST} ms`);
  } finally {
    workerd.stop();
  }
}

async function isAnswered(port: number): Promise<boolean> {
  let wire: Wire;
  try {
    wire = await Wire.connect(port);
  } catch {
    return false;
  }
  await wire.write("GET / HTTP/1.1\r\nhost: www.example.com\r\n\r\n");
  const answer = await wire.read();
  wire.close();
  if (!answer?.toString("latin1").startsWith("HTTP/1.1 200 ")) {
    throw new Error(`the first response is ${answer?.toString("latin1")}`);
  }
  return true;
}
