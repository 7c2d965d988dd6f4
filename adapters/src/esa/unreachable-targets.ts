/** Which targets ESA's `fetch` cannot reach, so that the operator learns it before clients do. */

import type { Target } from "../engine/interface.js";

const SETTING = "FETCH_TARGETS";

/** IPv6 in brackets, or IPv4: no DNS name ends in a number (WHATWG URL). */
const ADDRESS = /^\[|\.\d+$/;

/**
 * A notice for each target given by IP address, or with a non-default port.
 * https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/fetch-1
 */
export function unreachableTargets(targets: readonly Target[]): string[] {
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

/** In the format of the engine's notices. */
export function notice(reason: string, setting = SETTING): string {
  return JSON.stringify({ source: "function-fetch", event: "bad_setting", setting, reason });
}
