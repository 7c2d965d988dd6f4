/** One engine, with the configuration that the first request brings. */

import { FieldRules } from "../driver/headers.js";
import type { Background, Store } from "../driver/platform.js";
import { Proxy as ReverseProxy } from "../driver/proxy.js";
import type { Configuration, Engine, Reply } from "../engine/interface.js";
import { instantiate } from "../engine/pure.js";
import type { Settings } from "../settings.js";
import { broken, ownWords, relayed } from "../web/answers.js";
import { settingsOf } from "../web/environment.js";
import { bodyOf, cannotBeSent, Inbound } from "./inbound.js";
import { Invocation } from "./invocation.js";
import { LIMITS } from "./limits.js";
import { notice, outOfReach } from "./reach.js";
import { type EsaRequest, ensureClock, isContext } from "./runtime.js";
import { storeOf } from "./store.js";

const CANNOT_BE_SENT: Reply = {
  status: 501,
  body: "A GET or HEAD with a body cannot be sent on: the platform has no such requests.\n",
  proxyStatus: "function-fetch; error=http_request_error",
};

interface Configured {
  readonly engine: Engine;
  readonly configuration: Configuration;
  readonly rules: FieldRules;
  readonly store: Store | undefined;
}

export class Edge {
  private configured: Configured | undefined;

  constructor(private readonly baked: Settings) {}

  async serve(request: EsaRequest, handed: readonly unknown[]): Promise<Response> {
    try {
      if (cannotBeSent(request)) return ownWords(CANNOT_BE_SENT);
      // Not while the file is loaded: there the runtime has little time to give, and no variables.
      this.configured ??= this.configure(handed);
      const { engine, configuration, rules, store } = this.configured;
      // The engine is what requests have in common; the rest belongs to one of them.
      const proxy = new ReverseProxy(
        engine,
        configuration,
        new Invocation(configuration, store, tell),
      );
      const inbound = new Inbound(request, await bodyOf(request), configuration, rules);
      const call = { request: inbound, background: backgroundOf(handed) };
      const outcome = await proxy.serve(inbound.about, call);
      if (outcome.answer === undefined) return ownWords(outcome.reply);
      const { explain, elapsed } = outcome;
      return relayed({ answer: outcome.answer.response, explain, elapsed }, rules, isMade);
    } catch (error) {
      const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
      tell(JSON.stringify({ source: "function-fetch", event: "error", reason }));
      return broken();
    }
  }

  private configure(handed: readonly unknown[]): Configured {
    ensureClock();
    const engine = instantiate();
    const settings = settingsOf(engine.settingNames(), [...handed, this.baked]);
    const given = new Map(settings);
    const found = storeOf(given.get("ESA_KV_NAMESPACE")?.trim() ?? "");
    const store = "store" in found ? found.store : undefined;
    const configuration = engine.configure(
      settings,
      store === undefined ? { maxProbes: LIMITS.maxProbes } : LIMITS,
      Math.random(),
    );
    if ("problem" in found && wantsStore(given.get("FETCH_CACHE_ADAPTER"))) {
      tell(notice(found.problem, "ESA_KV_NAMESPACE"));
    }
    for (const line of outOfReach(configuration.targets)) tell(line);
    return { engine, configuration, rules: new FieldRules(configuration), store };
  }
}

/** Whether the decision is to be kept beyond the memory. */
function wantsStore(adapter = "auto"): boolean {
  return /auto|kv/i.test(adapter);
}

/** The runtime keeps some statuses to itself, and throws when a `Response` is made of one. */
function isMade(status: number): boolean {
  return status >= 200 && status < 596;
}

function backgroundOf(handed: readonly unknown[]): Background {
  const context = handed.find(isContext);
  // Without a context the work goes on for as long as the runtime lets it.
  return (work) => context?.waitUntil(work);
}

/** ESA's logs have what is given to `console.log`. */
function tell(line: string): void {
  console.log(line);
}
