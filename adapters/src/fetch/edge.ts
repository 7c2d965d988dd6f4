/** One configuration, on the runtime's `fetch`. */

import { FieldRules } from "../driver/headers.js";
import type { Background } from "../driver/platform.js";
import { textReply } from "../driver/replies.js";
import { type Outcome, ReverseProxy } from "../driver/reverse-proxy.js";
import { isStatus, statusReply } from "../driver/status.js";
import { instantiate } from "../engine/pure.js";
import { type HookedRequest, type Hooks, hooksOf, keepFraming, ownResponse } from "../hooks.js";
import { assertKnown, type SettingOptions, settingsOf } from "../options.js";
import { type ReportingOptions, reportingOf, withStats } from "../reporting.js";
import type { Settings } from "../settings.js";
import { type StoreOption, storeOf } from "../store-option.js";
import { bodyOf, cannotBeSent } from "../web/body.js";
import { type Facts, factsIn } from "../web/caller.js";
import { Inbound } from "../web/inbound.js";
import { internalError, localReply } from "../web/local-reply.js";
import { relayed, WITHOUT_BODY } from "../web/relay.js";
import { askedBy } from "../web/status.js";
import { partsOf } from "../web/url.js";
import { FetchPlatform } from "./platform.js";

export interface Options extends SettingOptions, ReportingOptions, Hooks {
  /** Settings by their own names; those missing here too are taken from the process environment. */
  readonly env?: Settings | undefined;
  /** Where the decision is shared among instances (L2). Without it: memory only. */
  readonly store?: StoreOption | undefined;
  /**
   * The client's address, where only the platform's own header tells it; by default what the
   * runtime passes beside the request. Never from a header that a client can write.
   */
  readonly clientAddress?: ((request: Request) => string | undefined) | undefined;
  /** Keeps the function running until the work is done, where the runtime passes no such function. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/** The options that are no settings. */
const OTHERS: Readonly<Record<Exclude<keyof Options, keyof SettingOptions>, true>> = {
  env: true,
  store: true,
  clientAddress: true,
  waitUntil: true,
  log: true,
  onEvent: true,
  onStats: true,
  onRequest: true,
  onResponse: true,
};

const CANNOT_BE_SENT = textReply(
  501,
  "http_request_error",
  "A GET or HEAD with a body cannot be forwarded on this platform.\n",
);

export class Edge {
  private readonly platform: FetchPlatform;
  private readonly proxy: ReverseProxy<Inbound, Response>;
  private readonly rules: FieldRules;
  private readonly hooks: Hooks;
  private readonly work = new Set<Promise<void>>();

  constructor(private readonly options: Options) {
    const engine = instantiate();
    const names = engine.settingNames();
    assertKnown(options, names, Object.keys(OTHERS));
    const settings = settingsOf(names, { options, env: options.env, environment });
    this.hooks = hooksOf(options) ?? {};
    const store = storeOf(options.store);
    const configuration = engine.configure(
      withStats(settings, options),
      store === undefined ? {} : { store: "custom" },
      Math.random(),
    );
    this.rules = new FieldRules(configuration);
    this.platform = new FetchPlatform(configuration, store, reportingOf(options, toStderr));
    this.proxy = new ReverseProxy(engine, configuration, this.platform);
  }

  async serve(request: Request, handed: readonly unknown[]): Promise<Response> {
    try {
      if (cannotBeSent(request)) return localReply(CANNOT_BE_SENT);
      const facts = this.factsOf(request, handed);
      const url = partsOf(request.url);
      const { method, signal } = request;
      const { onRequest } = this.hooks;
      const headers = onRequest === undefined ? request.headers : new Headers(request.headers);
      const hooked: HookedRequest = { method, path: url.path, headers, address: facts.address };
      if (onRequest !== undefined) {
        const own = ownResponse(await onRequest(hooked));
        if (own !== undefined) return own;
        keepFraming(headers, request.headers);
      }
      const { configuration } = this.proxy;
      if (isStatus(configuration, hooked.path)) {
        const asked = askedBy(
          { method, url: request.url, headers, body: request.body },
          configuration,
        );
        return await this.responseTo({ reply: await statusReply(this.proxy, asked) }, hooked);
      }
      const inbound = new Inbound(
        { method, headers, signal },
        { ...url, path: hooked.path },
        await bodyOf(request),
        facts.address,
        configuration,
        this.rules,
      );
      const background: Background = (work) => this.keep(work, facts);
      const outcome = await this.proxy.serve(inbound.about, { request: inbound, background });
      this.proxy.tellStats(false);
      return await this.responseTo(outcome, hooked);
    } catch (error) {
      return internalError(error, this.platform.notice);
    }
  }

  /** Waits for the work that goes on after responses, and tells the last counts. */
  async close(): Promise<void> {
    while (this.work.size > 0) await Promise.all(this.work);
    this.proxy.tellStats(true);
  }

  private factsOf(request: Request, handed: readonly unknown[]): Facts {
    const facts = factsIn(request, handed);
    const { clientAddress, waitUntil } = this.options;
    return {
      address: clientAddress === undefined ? facts.address : clientAddress(request),
      waitUntil: facts.waitUntil ?? waitUntil,
    };
  }

  private keep(work: Promise<void>, { waitUntil }: Facts): void {
    this.work.add(work);
    void work.finally(() => this.work.delete(work));
    waitUntil?.(work);
  }

  private async responseTo(outcome: Outcome<Response>, hooked: HookedRequest): Promise<Response> {
    const { answer } = outcome;
    const given =
      answer === undefined
        ? localReply(outcome.reply)
        : relayed({ upstream: answer, ...outcome }, this.rules, () => true);
    const { onResponse } = this.hooks;
    if (onResponse === undefined) return given;
    // A response of `fetch` cannot be changed.
    const { status, statusText, headers } = given;
    const body = WITHOUT_BODY.has(status) ? null : given.body;
    const response = new Response(body, { status, statusText, headers });
    const target = answer === undefined ? undefined : this.platform.targetOf(answer);
    try {
      await onResponse({ status: response.status, headers: response.headers, target }, hooked);
    } catch (error) {
      this.platform.drop(given);
      throw error;
    }
    keepFraming(response.headers, given.headers);
    return response;
  }
}

/** Undefined where the runtime has no environment, or denies it: Deno without `--allow-env`. */
function environment(name: string): string | undefined {
  try {
    return typeof process === "undefined" ? undefined : process.env[name];
  } catch {
    return undefined;
  }
}

function toStderr(line: string): void {
  console.error(line);
}
