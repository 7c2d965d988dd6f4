/** The request of a probe and the head of its response, alike on all hosts. */

import type { Configuration, ProbeResponse } from "../engine/interface.js";

/** The header fields of a probe. */
export function probeFields({ userAgent }: Configuration): Record<string, string> {
  return {
    "user-agent": userAgent,
    accept: "*/*",
    // A cache on the way would answer for a target that is down: it is to ask the
    // target at least whether what it has is still good (RFC 9111 §5.2.1.4).
    "cache-control": "no-cache",
  };
}

/** What the engine needs of the response. `field` reads one of its header fields. */
export function probeResponse(
  status: number,
  field: (name: string) => string | null | undefined,
): ProbeResponse {
  return {
    status,
    age: field("age") ?? undefined,
    xCache: field("x-cache") ?? undefined,
    cfCacheStatus: field("cf-cache-status") ?? undefined,
  };
}
