/** One engine, with the configuration that the first request brings. */

import { FieldRules } from "../driver/headers.js";
import { Proxy as ReverseProxy } from "../driver/proxy.js";
import { instantiate } from "../engine/workers.js";
import type { Settings } from "../settings.js";
import { settingsOf } from "../web/environment.js";
import { responseTo, unforeseen } from "./answer.js";
import { namespaceOf } from "./bindings.js";
import { endingFields, endingFieldsOfResponse, Inbound } from "./inbound.js";
import { KvStore } from "./kv.js";
import { WorkersPlatform } from "./platform.js";

/** A Worker's request may wait for six connections at once, and the live one is one of them. */
const MAX_PROBES = 5;

interface Configured {
  readonly proxy: ReverseProxy<Inbound, Response>;
  readonly rules: FieldRules;
  /** The fields that end here, of requests and of responses. */
  readonly endings: { readonly request: readonly string[]; readonly response: readonly string[] };
}

export class Edge {
  private readonly engine = instantiate();
  private configured: Configured | undefined;

  constructor(private readonly settings: Settings) {}

  async serve(
    request: Request,
    env: object,
    context: Pick<ExecutionContext, "waitUntil">,
  ): Promise<Response> {
    try {
      // Bindings come with requests; within an isolate they do not change.
      this.configured ??= this.configure(env);
      const { proxy, rules, endings } = this.configured;
      const inbound = new Inbound(request, proxy.configuration, rules, endings.request);
      const background = (work: Promise<void>) => {
        leaveWithClient(inbound, request);
        context.waitUntil(work);
      };
      const outcome = await proxy.serve(inbound.about, { request: inbound, background });
      return responseTo(outcome, rules, endings.response);
    } catch (error) {
      return unforeseen(error);
    }
  }

  private configure(env: object): Configured {
    const { engine } = this;
    const settings = settingsOf(engine.settingNames(), [this.settings, env]);
    const { namespace, problem } = namespaceOf(env, settings);
    const limits = { maxProbes: MAX_PROBES };
    const configuration = engine.configure(
      settings,
      namespace === undefined ? limits : { ...limits, store: "workers-kv" },
      Math.random(),
    );
    const store = namespace === undefined ? undefined : new KvStore(namespace);
    const platform = new WorkersPlatform(configuration, store);
    if (problem !== undefined) {
      const setting = "FETCH_CACHE_KV_BINDING";
      const notice = { source: "function-fetch", event: "bad_setting", setting, reason: problem };
      platform.notice(JSON.stringify(notice));
    }
    const rules = new FieldRules(configuration);
    return {
      proxy: new ReverseProxy(engine, configuration, platform),
      rules,
      endings: {
        request: endingFields(configuration, rules),
        response: endingFieldsOfResponse(configuration),
      },
    };
  }
}

/**
 * A request without background work ends with its client by itself. One that has
 * some lives on, so that its attempts must be told.
 */
function leaveWithClient(inbound: Inbound, request: Request): void {
  if (inbound.followsClient) return;
  inbound.followsClient = true;
  // Fires with the compatibility flag `enable_request_signal`.
  request.signal.addEventListener("abort", () => inbound.leave());
}
