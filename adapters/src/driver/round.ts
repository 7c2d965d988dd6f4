/** A round of probes, as the engine planned it. */

import type { ProbeResult, Round } from "../engine/interface.js";
import type { Background, Upload } from "./platform.js";
import type { ReverseProxy } from "./reverse-proxy.js";
import { readStore, writeDue } from "./store.js";

/** Probes each target and reports each answer as it comes. Never rejects. */
export async function round<Q extends Upload, A>(
  proxy: ReverseProxy<Q, A>,
  first: Round,
  background: Background,
): Promise<void> {
  let next: Round | undefined = first;
  while (next !== undefined) next = await runOne(proxy, next);
  proxy.tell();
  writeDue(proxy, background);
}

/** Returns the round that follows, if any: a comparison. */
async function runOne<Q extends Upload, A>(
  proxy: ReverseProxy<Q, A>,
  round: Round,
): Promise<Round | undefined> {
  const { engine, platform, configuration } = proxy;
  if (round.readStore) {
    const event = await readStore(
      platform.store,
      configuration.cacheKey,
      configuration.storeTimeout,
    );
    if (event.tag === "store-read" && engine.roundReadStore(event.val, Date.now())) {
      return undefined;
    }
  }
  const waiting = round.targets.values();
  const worker = async () => {
    for (const target of waiting) {
      const [outcome, elapsed, rest] = await probe(proxy, target, round.timeout);
      engine.probed(round.id, target, outcome, elapsed, Date.now());
      proxy.tell();
      await rest;
    }
  };
  await Promise.all(Array.from({ length: round.concurrency }, worker));
  return engine.finishRound(round.id, Date.now());
}

/** The result of a probe, how long it took, ms, and what is left to do. */
function probe<Q extends Upload, A>(
  { platform, configuration }: ReverseProxy<Q, A>,
  target: number,
  timeout: number,
): Promise<[result: ProbeResult, elapsed: number, rest: Promise<void> | undefined]> {
  const started = performance.now();
  const sending = platform.probe(configuration.targets[target]?.healthUrl ?? "");
  const elapsed = () => performance.now() - started - (sending.waited ?? 0);
  return new Promise((resolve) => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const end = (result: ProbeResult) => {
      if (timer !== undefined) clearTimeout(timer);
      resolve([result, elapsed(), result.tag === "response" ? sending.rest : undefined]);
    };
    const tick = () => {
      const left = timeout - elapsed();
      if (left > 0) {
        timer = setTimeout(tick, Math.max(left, 1));
        return;
      }
      sending.abort();
      end({ tag: "failed", val: "attempt-timeout" });
    };
    timer = setTimeout(tick, timeout);
    sending.result.then(
      (response) => end({ tag: "response", val: response }),
      (error: unknown) => end({ tag: "failed", val: platform.failure(error) }),
    );
  });
}
