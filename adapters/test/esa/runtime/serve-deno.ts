/** HTTP in front of the routine, in Deno. */

import type { Serve } from "./serving.js";

interface DenoServer {
  readonly addr: { readonly port: number };
}

declare const Deno: {
  serve(
    options: {
      readonly hostname: string;
      readonly port: number;
      readonly automaticCompression: boolean;
      onListen(): void;
    },
    handler: (
      request: Request,
      info: {
        readonly remoteAddr: { readonly hostname: string };
        readonly completed: Promise<void>;
      },
    ) => Promise<Response>,
  ): DenoServer;
};

export function serveDeno(serve: Serve): number {
  const options = {
    hostname: "127.0.0.1",
    port: 0,
    automaticCompression: false,
    onListen: () => {},
  };
  const server = Deno.serve(options, async (request, { remoteAddr, completed }) => {
    const { response, invocation } = await serve(request, remoteAddr.hostname);
    const end = () => invocation.end();
    completed.then(end, end);
    return response;
  });
  return server.addr.port;
}
