/** Function Fetch as a `fetch`-style handler, for frameworks that use `Request` and `Response`. */

import { Readable } from "node:stream";
import type { HookedRequest } from "../hooks.js";
import { type Facts, factsIn } from "../web/caller.js";
import { internalError } from "../web/local-reply.js";
import { ClientBody } from "./body.js";
import { Edge, type Options } from "./edge.js";
import { admit, changedFields, headersOf } from "./hooked.js";
import type { Origins } from "./inbound.js";
import { localFields } from "./local-reply.js";
import { answeredFields, hasContent } from "./relay.js";
import type { Sink, UpstreamResponse } from "./upstream-response.js";

/** How much of a response's body is buffered for its reader. */
const HELD_BYTES = 64 * 1024;

export interface FetchHandler {
  /**
   * Serves a request. `handed`: `Facts`, or what the runtime passes beside the request.
   * Rejects only when its signal aborts.
   */
  (request: Request, ...handed: unknown[]): Promise<Response>;
  /** Waits for what is under way and closes the connections to the targets. */
  close(): Promise<void>;
}

/** Makes a handler with its own engine and connections. */
export function createFetchHandler(options: Options = {}): FetchHandler {
  const edge = new Edge(options);
  const handler = (request: Request, ...handed: unknown[]) =>
    serve(edge, request, factsIn(request, handed));
  return Object.assign(handler, { close: () => edge.close() });
}

async function serve(edge: Edge, request: Request, facts: Facts): Promise<Response> {
  try {
    return await route(edge, request, facts);
  } catch (error) {
    request.signal.throwIfAborted();
    return internalError(error, edge.proxy.platform.notice);
  }
}

async function route(edge: Edge, request: Request, facts: Facts): Promise<Response> {
  const { signal } = request;
  signal.throwIfAborted();
  const { hooks, rules } = edge;
  let from = originsOf(edge, request, facts);
  let hooked: HookedRequest | undefined;
  if (hooks !== undefined) {
    const admitted = await admit(hooks, from);
    if ("response" in admitted) return admitted.response;
    from = admitted.from;
    hooked = admitted.request;
    signal.throwIfAborted();
  }
  const inbound = edge.inbound(from);
  signal.addEventListener("abort", () => inbound.onDisconnect(), { once: true });
  const outcome = await edge.serve(inbound, facts.waitUntil);
  const { answer } = outcome;
  try {
    signal.throwIfAborted();
    let fields = answer === undefined ? localFields(outcome.reply) : answeredFields(outcome, rules);
    if (hooks !== undefined && hooked !== undefined) {
      fields = await changedFields(hooks, answer ?? outcome.reply, fields, hooked);
      signal.throwIfAborted();
    }
    const headers = headersOf(fields);
    if (answer !== undefined) return responseOf(answer, request.method, headers);
    const { body, status } = outcome.reply;
    return new Response(body, { status, headers });
  } catch (error) {
    answer?.drop();
    throw error;
  }
}

function originsOf(edge: Edge, request: Request, facts: Facts): Origins {
  const { protocol, host, pathname, search } = new URL(request.url);
  const rawFields: string[] = [];
  for (const [name, value] of request.headers) rawFields.push(name, value);
  const { replayBodyBytes } = edge.proxy.configuration;
  return {
    method: request.method,
    url: pathname + search,
    rawFields,
    fields: Object.fromEntries(request.headers),
    client: {
      address: facts.address,
      host: request.headers.get("host") ?? host,
      scheme: protocol.slice(0, -1),
    },
    // The web's stream types and those of Node.js are the same at run time.
    body:
      request.body === null
        ? undefined
        : new ClientBody(Readable.fromWeb(request.body as never), replayBodyBytes),
  };
}

function responseOf(upstream: UpstreamResponse, method: string, headers: Headers): Response {
  const { status } = upstream;
  if (!hasContent(status, method) || status === 205) {
    upstream.drop();
    return new Response(null, { status, headers });
  }
  return new Response(streamOf(upstream), { status, headers });
}

/** The body, read from the target as the client reads it. */
function streamOf(upstream: UpstreamResponse): ReadableStream<Uint8Array> {
  const source: UnderlyingDefaultSource<Uint8Array> = {
    start(controller) {
      const sink: Sink = {
        write(chunk) {
          controller.enqueue(chunk);
          return (controller.desiredSize ?? 0) > 0;
        },
        // A `Response` has no trailers.
        end(last) {
          if (last !== undefined) controller.enqueue(last);
          controller.close();
        },
        fail: (error) => controller.error(error),
      };
      upstream.pipeTo(sink);
    },
    pull: () => upstream.resume(),
    cancel: () => upstream.abort(new Error("the client has disconnected")),
  };
  return new ReadableStream(source, new ByteLengthQueuingStrategy({ highWaterMark: HELD_BYTES }));
}
