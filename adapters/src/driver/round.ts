/** A round of probes, as the engine laid it out. */

import type { ProbeResult, Round } from "../engine/interface.js";
import type { Background } from "./platform.js";
import type { Proxy } from "./proxy.js";
import { readStore, writeDue } from "./store.js";

/** Probes each target and reports each answer as it comes. Never rejects. */
export async function round<Q, A>(
  proxy: Proxy<Q, A>,
  first: Round,
  background: Background,
): Promise<void> {
  let next: Round | undefined = first;
  while (next !== undefined) next = await runOne(proxy, next);
  proxy.tell();
  writeDue(proxy, background);
}

/** Says what is to be probed next: a second look may follow. */
async function runOne<Q, A>(proxy: Proxy<Q, A>, round: Round): Promise<Round | undefined> {
  const { engine, platform, configuration } = proxy;
  if (round.readStore) {
    const event = await readStore(platform.store, configuration.cacheKey);
    if (event.tag === "store-read" && engine.roundReadStore(event.val, Date.now())) {
      return undefined;
    }
  }
  const waiting = round.targets.values();
  const worker = async () => {
    for (const target of waiting) {
      const started = performance.now();
      const outcome = await probe(proxy, target, round.timeout);
      engine.probed(round.id, target, outcome, performance.now() - started, Date.now());
      proxy.tell();
    }
  };
  await Promise.all(Array.from({ length: round.concurrency }, worker));
  return engine.finishRound(round.id, Date.now());
}

function probe<Q, A>(
  { platform, configuration }: Proxy<Q, A>,
  target: number,
  timeout: number,
): Promise<ProbeResult> {
  const url = configuration.targets[target]?.healthUrl ?? "";
  const sending = platform.probe(url);
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      sending.abort();
      resolve({ tag: "failed", val: "attempt-timeout" });
    }, timeout);
    sending.result
      .then(
        (status): ProbeResult => ({ tag: "status", val: status }),
        (error: unknown): ProbeResult => ({ tag: "failed", val: platform.failure(error) }),
      )
      .then((result) => {
        clearTimeout(timer);
        resolve(result);
      });
  });
}
