/** One engine, configured from the bindings of the first request. */

import { FieldRules } from "../driver/headers.js";
import { ReverseProxy } from "../driver/reverse-proxy.js";
import { isStatus, statusReply } from "../driver/status.js";
import { instantiate } from "../engine/workers.js";
import type { Settings } from "../settings.js";
import { internalError, localReply } from "../web/local-reply.js";
import { settingsOf } from "../web/settings.js";
import { askedBy } from "../web/status.js";
import { partsOf } from "../web/url.js";
import { namespaceOf } from "./bindings.js";
import { endingFields, endingFieldsOfResponse, Inbound } from "./inbound.js";
import { WorkersPlatform } from "./platform.js";
import { responseTo } from "./relay.js";
import { KvStore } from "./store.js";

/** A Worker's request may have six connections open at once; the live request needs one of them. */
const MAX_PROBES = 5;

interface Configured {
  readonly proxy: ReverseProxy<Inbound, Response>;
  readonly rules: FieldRules;
  /** The hop-by-hop fields, which are not forwarded, of requests and of responses. */
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
      const { configuration } = proxy;
      // The parts of the URL are worth their time only where there is a status page.
      if (
        configuration.statusPath !== undefined &&
        isStatus(configuration, partsOf(request.url).path)
      ) {
        return localReply(await statusReply(proxy, askedBy(request, configuration)));
      }
      const inbound = new Inbound(request, configuration, rules, endings.request);
      const background = (work: Promise<void>) => {
        abortWithClient(inbound, request);
        context.waitUntil(work);
      };
      const outcome = await proxy.serve(inbound.about, { request: inbound, background });
      proxy.tellStats(false);
      return responseTo(outcome, rules, endings.response);
    } catch (error) {
      return internalError(error, (line) => console.error(line));
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
 * The runtime cancels a request without background work when its client
 * disconnects. With `waitUntil` it keeps running, so its attempts must be aborted here.
 */
function abortWithClient(inbound: Inbound, request: Request): void {
  if (inbound.followsClient) return;
  inbound.followsClient = true;
  // Fires with the compatibility flag `enable_request_signal`.
  request.signal.addEventListener("abort", () => inbound.onDisconnect());
}
