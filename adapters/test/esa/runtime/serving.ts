/** The layer between HTTP and the routine, in either runtime. */

import type { EdgeRoutine } from "../../../src/esa/index.js";
import type { EsaRequest } from "../../../src/esa/runtime.js";
import type { Invocation, Invocations } from "./invocations.js";
import type { Setup } from "./protocol.js";

/** Serves one request; `invocation.end` is to be called when its response is complete. */
export type Serve = (
  request: Request,
  address: string,
) => Promise<{ response: Response; invocation: Pick<Invocation, "end"> }>;

export function serving(routine: EdgeRoutine, invocations: Invocations, setup: Setup): Serve {
  return (request, address) =>
    invocations.run(async (context, invocation) => {
      const info = { remote_addr: address, scheme: "http" };
      const given: EsaRequest = Object.defineProperty(request, "info", { value: info });
      const handed = {
        "context-env": [context, setup.env],
        "env-context": [setup.env, context],
        nothing: [],
      }[setup.hands];
      return { response: await routine.fetch(given, ...handed), invocation };
    });
}
