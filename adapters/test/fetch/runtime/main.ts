/**
 * Serves the fetch entry in whichever runtime this is. Its argument is JSON: options, and whether there
 * are hooks. It prints a line of JSON with its port, and one for each notice.
 */

import { createFetchHandler, type Options } from "../../../src/fetch/index.js";
import { serveNode } from "../../esa/runtime/serve-node.js";

interface Server {
  readonly port: number;
}

declare const Bun: {
  serve(options: {
    readonly hostname: string;
    readonly port: number;
    readonly idleTimeout: number;
    readonly fetch: (request: Request, server: unknown) => Promise<Response>;
  }): Server;
};

declare const Deno: {
  serve(
    options: {
      readonly hostname: string;
      readonly port: number;
      readonly automaticCompression: boolean;
      onListen(): void;
    },
    handler: (request: Request, info: unknown) => Promise<Response>,
  ): { readonly addr: Server };
};

/** What a test may ask hooks for. */
interface Asked {
  readonly hooks?: boolean;
}

const { hooks = false, ...options }: Options & Asked = JSON.parse(process.argv[2] ?? "{}");

const hooked: Options = {
  onRequest: async (request) => {
    if (request.path === "/forbidden") return new Response("no", { status: 403 });
    request.headers.set("x-added", `${request.method} for ${request.address}`);
    request.headers.set("content-length", "7");
    request.path = request.path.replace(/^\/old/, "/new");
    return undefined;
  },
  onResponse: ({ headers, target }, { path }) => {
    if (path === "/broken") throw new Error("the hook is broken");
    headers.set("x-served-by", target ?? "nobody");
  },
};

const say = (line: object) => console.log(JSON.stringify(line));

const handler = createFetchHandler({
  ...(hooks ? hooked : {}),
  ...options,
  onEvent: (said) => say({ said }),
});

const hostname = "127.0.0.1";

async function serve(): Promise<number> {
  if ("Bun" in globalThis) {
    return Bun.serve({ hostname, port: 0, idleTimeout: 0, fetch: handler }).port;
  }
  if ("Deno" in globalThis) {
    const quiet = { automaticCompression: false, onListen: () => {} };
    return Deno.serve({ hostname, port: 0, ...quiet }, handler).addr.port;
  }
  return serveNode(async (request, address) => {
    const response = await handler(request, { address });
    return { response, invocation: { end() {} } };
  });
}

say({ port: await serve() });
