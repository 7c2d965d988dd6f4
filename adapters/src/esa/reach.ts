/** Which targets ESA's `fetch` does not reach, so that the operator hears it before clients do. */

import type { Target } from "../engine/interface.js";

const SETTING = "FETCH_TARGETS";

/** An IPv6 address stands in brackets; nothing else that ends in a number is a name (WHATWG URL). */
const ADDRESS = /^\[|\.\d+$/;

/**
 * A line for each target that is named by an address, or by a port of its own.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/fetch-1
 */
export function outOfReach(targets: readonly Target[]): string[] {
  const lines: string[] = [];
  for (const { origin } of targets) {
    const { hostname, port } = new URL(origin);
    if (ADDRESS.test(hostname)) {
      lines.push(notice(`${origin}: ESA fetches by name only; give this address a DNS name`));
    } else if (port !== "") {
      lines.push(
        notice(
          `${origin}: ESA documents port 80 for http and 443 for https alone; ${port} may fail`,
        ),
      );
    }
  }
  return lines;
}

/** In the words of the engine's own notices. */
export function notice(reason: string, setting = SETTING): string {
  return JSON.stringify({ source: "function-fetch", event: "bad_setting", setting, reason });
}
