/** A proxy on Node.js with a status page. */

import type { TestContext } from "node:test";
import type { Options } from "../../src/node/index.js";
import { type RunningProxy, startProxy } from "../node/proxy.js";
import { type RawResponse, send } from "../support/client.js";
import type { Field } from "../support/fields.js";

export const TOKEN = "0123456789abcdef";
export const PATH = "/-/status";
const PAGE = { FETCH_STATUS_PATH: PATH, FETCH_STATUS_TOKEN: TOKEN };

/** `targets`: as `FETCH_TARGETS`. */
export function startWithPage(
  t: TestContext,
  targets: readonly string[],
  { env = {}, ...options }: Options = {},
): Promise<RunningProxy> {
  const settings = { FETCH_TARGETS: JSON.stringify(targets), ...PAGE, ...env };
  return startProxy(t, { ...options, env: settings });
}

/** The status as it is now, for the bearer of the token. */
export function status(
  { port }: RunningProxy,
  accept = "application/json",
  more: readonly Field[] = [],
): Promise<RawResponse> {
  const headers: Field[] = [["authorization", `Bearer ${TOKEN}`], ["accept", accept], ...more];
  return send(port, { path: PATH, headers });
}

export async function statusJson(proxy: RunningProxy): Promise<unknown> {
  const { body } = await status(proxy);
  return JSON.parse(body.toString());
}
