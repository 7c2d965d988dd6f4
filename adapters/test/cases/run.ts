/** One case on one host, against real upstreams. */

import { type RawResponse, send } from "../support/client.js";
import type { Field } from "../support/fields.js";
import { eventually, sleep } from "../support/waiting.js";
import { cacheKey } from "./cache-key.js";
import type { Plan, Step } from "./format.js";
import type { CaseHost, Entry, RunningProxy } from "./host.js";
import {
  type Differences,
  responseDifferences,
  seenDifferences,
  storeDifferences,
} from "./matching.js";
import { upstreamMeanings } from "./placeholders.js";
import { type CaseTarget, caseTargets, makeRecord } from "./record.js";
import type { Case } from "./table.js";
import { Upstreams } from "./upstreams.js";

/** How long what happens behind a response may take to be seen, ms. */
const BEHIND = 2_000;
const PROBES = 30_000;
const STORE = 5_000;

/** After this long what probes bring has been decided, and what was not written will not be, ms. */
const SETTLED = 300;

/** Where a case does not say otherwise. */
const HEALTH_PATH = "/health";

/** Throws what is not as the case says. */
export async function runCase(one: Case, host: CaseHost): Promise<void> {
  const upstreams = await Upstreams.start(one.upstreams(host.name), host);
  try {
    const meanings = upstreamMeanings(upstreams.authorities).set("client", host.client);
    // Where the proxy is to be asked is known once it runs; its settings do not depend on that.
    const before = one.plan(host.name, meanings.set("proxy", "127.0.0.1:1"));
    const settings = caseSettings(before, upstreams.authorities);
    const healthPath = settings.get("FETCH_HEALTH_PATH") ?? "/";
    upstreams.healthPath = healthPath;
    const targets = caseTargets(settings.get("FETCH_TARGETS") ?? "", upstreams.authorities);
    const key = cacheKey(settings, host.store);
    const proxy = await host.start(settings, storedAtFirst(before, key, targets, healthPath));
    try {
      const plan = one.plan(host.name, meanings.set("proxy", `127.0.0.1:${proxy.port}`));
      await upstreams.behave(plan.upstreams);
      for (const [at, step] of plan.steps.entries()) {
        await runStep(step, proxy, upstreams, host.added).catch((error: unknown) => {
          const what = error instanceof Error ? error.message : String(error);
          throw new Error([`step ${at + 1}: ${what}`, ...proxy.said].join("\n"));
        });
      }
      await checkStore(plan, () => proxy.read(key), targets);
    } finally {
      await proxy.stop();
    }
  } finally {
    await upstreams.stop();
  }
}

function caseSettings(plan: Plan, authorities: ReadonlyMap<string, string>): Map<string, string> {
  const targets =
    plan.targets ?? Array.from(authorities.values(), (authority) => `http://${authority}`);
  const settings = new Map<string, string | null>([
    ["FETCH_HEALTH_PATH", HEALTH_PATH],
    ["FETCH_TARGETS", targets.join(",")],
    ...plan.settings,
  ]);
  return new Map([...settings].filter((entry): entry is [string, string] => entry[1] !== null));
}

function storedAtFirst(
  { store }: Plan,
  key: string,
  targets: readonly CaseTarget[],
  healthPath: string,
): Entry | undefined {
  if (store === undefined) return undefined;
  const value =
    store.holds === "raw" ? store.raw : makeRecord(store.record, targets, healthPath, Date.now());
  return { key, value };
}

async function runStep(
  step: Step,
  proxy: RunningProxy,
  upstreams: Upstreams,
  added: readonly Field[],
): Promise<void> {
  switch (step.does) {
    case "sleep":
      return sleep(step.ms);
    case "upstreams":
      return upstreams.behave(step.upstreams);
    case "probes":
      return insist(upstreams.probeDifferences(step.probes));
    case "wait":
      for (const [name, count] of step.probes) {
        const what = `${name} is probed ${count} times`;
        await eventually(what, () => upstreams.get(name).probes.length >= count, PROBES);
      }
      return sleep(SETTLED);
    case "request": {
      const seen = upstreams.mark();
      const { request, response: rule } = step;
      const response = await send(proxy.port, {
        ...request,
        headers: [...request.headers, ...added],
      });
      const differences = rule === undefined ? [] : responseDifferences(rule, response);
      const expected = step.seen;
      if (differences.length === 0 && expected !== undefined) {
        // A body may still be on its way when the answer is here.
        const all = () =>
          [...seen()].flatMap(([name, requests]) =>
            seenDifferences(expected.get(name) ?? [], requests).map((what) => `${name} ${what}`),
          );
        differences.push(...(await soonNone(all, BEHIND)));
      }
      insist(differences, response);
    }
  }
}

async function checkStore(
  { storeAfter }: Plan,
  read: () => Promise<string | undefined>,
  targets: readonly CaseTarget[],
): Promise<void> {
  if (storeAfter === undefined) return;
  if (storeAfter.is === "empty") await sleep(SETTLED);
  const differences = async () => storeDifferences(storeAfter, await read(), targets);
  insist(await soonNone(differences, storeAfter.is === "empty" ? 0 : STORE));
}

/** The differences that are left when they had time to go away. */
async function soonNone(
  differences: () => Differences | Promise<Differences>,
  time: number,
): Promise<Differences> {
  const until = performance.now() + time;
  for (;;) {
    const left = await differences();
    if (left.length === 0 || performance.now() >= until) return left;
    await sleep(10);
  }
}

function insist(differences: Differences, response?: RawResponse): void {
  if (differences.length === 0) return;
  const answer =
    response === undefined
      ? ""
      : `\nthe answer: ${response.status} ${JSON.stringify(response.headers)} ${response.body.subarray(0, 300).toString()}`;
  throw new Error(differences.join("; ") + answer);
}
