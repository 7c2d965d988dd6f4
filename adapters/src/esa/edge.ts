/** One engine, configured from what the runtime passes with the first request. */

import { FieldRules } from "../driver/headers.js";
import type { Background, Store } from "../driver/platform.js";
import { textReply } from "../driver/replies.js";
import { ReverseProxy } from "../driver/reverse-proxy.js";
import { isStatus, statusReply } from "../driver/status.js";
import type { Configuration, Engine } from "../engine/interface.js";
import { instantiate } from "../engine/pure.js";
import type { Settings } from "../settings.js";
import { bodyOf, cannotBeSent } from "../web/body.js";
import { Inbound } from "../web/inbound.js";
import { internalError, localReply } from "../web/local-reply.js";
import { relayed } from "../web/relay.js";
import { settingsOf } from "../web/settings.js";
import { askedBy } from "../web/status.js";
import { partsOf } from "../web/url.js";
import { LIMITS } from "./limits.js";
import { EsaPlatform } from "./platform.js";
import { addressOf, type EsaRequest, ensureClock, isContext } from "./runtime.js";
import { storeOf } from "./store.js";
import { notice, unreachableTargets } from "./unreachable-targets.js";

const CANNOT_BE_SENT = textReply(
  501,
  "http_request_error",
  "A GET or HEAD with a body cannot be forwarded on this platform.\n",
);

interface Configured {
  readonly engine: Engine;
  readonly configuration: Configuration;
  readonly rules: FieldRules;
  readonly store: Store | undefined;
}

export class Edge {
  private configured: Configured | undefined;

  constructor(private readonly builtIn: Settings) {}

  async serve(request: EsaRequest, handed: readonly unknown[]): Promise<Response> {
    try {
      if (cannotBeSent(request)) return localReply(CANNOT_BE_SENT);
      // Not at module scope: start-up time is limited there, and the variables are not available yet.
      this.configured ??= this.configure(handed);
      const { engine, configuration, rules, store } = this.configured;
      // Requests share only the engine; ESA's objects belong to one request each.
      const proxy = new ReverseProxy(
        engine,
        configuration,
        new EsaPlatform(configuration, store, log),
      );
      const parts = partsOf(request.url);
      if (isStatus(configuration, parts.path)) {
        return localReply(await statusReply(proxy, askedBy(request, configuration)));
      }
      const inbound = new Inbound(
        request,
        parts,
        await bodyOf(request),
        addressOf(request),
        configuration,
        rules,
      );
      const call = { request: inbound, background: backgroundOf(handed) };
      const outcome = await proxy.serve(inbound.about, call);
      proxy.tellStats(false);
      if (outcome.answer === undefined) return localReply(outcome.reply);
      const { explain, elapsed } = outcome;
      return relayed({ upstream: outcome.answer.response, explain, elapsed }, rules, canMake);
    } catch (error) {
      return internalError(error, log);
    }
  }

  private configure(handed: readonly unknown[]): Configured {
    ensureClock();
    const engine = instantiate();
    const settings = settingsOf(engine.settingNames(), [...handed, this.builtIn]);
    const given = new Map(settings);
    const found = storeOf(given.get("ESA_KV_NAMESPACE")?.trim() ?? "");
    const store = "store" in found ? found.store : undefined;
    const configuration = engine.configure(
      settings,
      store === undefined ? { maxProbes: LIMITS.maxProbes } : LIMITS,
      Math.random(),
    );
    if ("problem" in found && wantsStore(given.get("FETCH_CACHE_ADAPTER"))) {
      log(notice(found.problem, "ESA_KV_NAMESPACE"));
    }
    for (const line of unreachableTargets(configuration.targets)) log(line);
    return { engine, configuration, rules: new FieldRules(configuration), store };
  }
}

/** Whether the settings ask for a store beyond memory. */
function wantsStore(adapter = "auto"): boolean {
  return /auto|kv/i.test(adapter);
}

/** The runtime reserves some statuses, and throws when a `Response` is made with one. */
function canMake(status: number): boolean {
  return status >= 200 && status < 596;
}

function backgroundOf(handed: readonly unknown[]): Background {
  const context = handed.find(isContext);
  // Without a context the work continues for as long as the runtime allows.
  return (work) => context?.waitUntil(work);
}

/** `console.log` writes to ESA's logs. */
function log(line: string): void {
  console.log(line);
}
