/** Requests for the status page: the engine answers, and reads the store first where it has to. */

import type { Configuration, LocalReply, StatusRequest } from "../engine/interface.js";
import type { Upload } from "./platform.js";
import type { ReverseProxy } from "./reverse-proxy.js";
import { readStore } from "./store.js";

/** A request for the status page. */
export interface Asked {
  readonly method: string;
  /** `http` or `https`, as the host reports it. */
  readonly scheme: string | undefined;
  /** The value of a field; several are joined. */
  field(name: string): string | undefined;
  /** The body of a POST, unless it is too long, too late or no text. */
  form(): Promise<string | undefined>;
}

/** Whether a request for `path`, perhaps with a query, is the status page's. */
export function isStatus({ statusPath }: Configuration, path: string): boolean {
  if (statusPath === undefined || !path.startsWith(statusPath)) return false;
  return path.length === statusPath.length || path[statusPath.length] === "?";
}

/** The response to it. */
export async function statusReply<Q extends Upload, A>(
  proxy: ReverseProxy<Q, A>,
  asked: Asked,
): Promise<LocalReply> {
  const { engine, platform, configuration } = proxy;
  const request = await requestOf(asked, configuration);
  const reply = engine.status(request, false, Date.now());
  if (reply !== undefined) return reply;
  const { cacheKey, storeTimeout } = configuration;
  engine.statusStore(await readStore(platform.store, cacheKey, storeTimeout), Date.now());
  proxy.tell();
  const told = engine.status(request, true, Date.now());
  if (told === undefined) throw new Error("the store was read, and there is no status");
  return told;
}

async function requestOf(asked: Asked, { trustForwarded }: Configuration): Promise<StatusRequest> {
  const { method, scheme } = asked;
  const forwarded = trustForwarded ? asked.field("x-forwarded-proto") : undefined;
  const told = forwarded?.split(",", 1)[0]?.trim().toLowerCase();
  const form = method === "POST" ? await asked.form() : undefined;
  return {
    method,
    https: (told ?? scheme) === "https",
    authorization: asked.field("authorization"),
    cookie: asked.field("cookie"),
    accept: asked.field("accept"),
    acceptLanguage: asked.field("accept-language"),
    form,
  };
}
