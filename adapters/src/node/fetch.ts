/** Function Fetch as a `fetch`-style handler, for frameworks that use `Request` and `Response`. */

import { Readable } from "node:stream";
import { explainFields } from "../driver/replies.js";
import { localReply } from "../web/local-reply.js";
import { ClientBody } from "./body.js";
import { Edge, type Options } from "./edge.js";
import type { Inbound } from "./inbound.js";
import { clientFields, hasContent } from "./relay.js";
import type { Sink, UpstreamResponse } from "./upstream-response.js";

/** How much of a response's body is buffered for its reader. */
const HELD_BYTES = 64 * 1024;

/** What a `Request` does not contain. */
export interface Facts {
  /** The client's IP address, for `x-forwarded-for`. */
  readonly address?: string | undefined;
}

export interface FetchHandler {
  /** Serves a request. Rejects only when its signal aborts. */
  (request: Request, facts?: Facts): Promise<Response>;
  /** Waits for what is under way and closes the connections to the targets. */
  close(): Promise<void>;
}

/** Makes a handler with its own engine and connections. */
export function createFetchHandler(options: Options = {}): FetchHandler {
  const edge = new Edge(options);
  const handler = (request: Request, facts: Facts = {}) => serve(edge, request, facts);
  return Object.assign(handler, { close: () => edge.close() });
}

async function serve(edge: Edge, request: Request, facts: Facts): Promise<Response> {
  const { signal } = request;
  signal.throwIfAborted();
  const inbound = inboundOf(edge, request, facts);
  signal.addEventListener("abort", () => inbound.onDisconnect(), { once: true });
  const outcome = await edge.serve(inbound);
  if (signal.aborted) {
    outcome.answer?.drop();
    throw signal.reason;
  }
  if (outcome.answer === undefined) return localReply(outcome.reply);
  const fields = fieldsOf(clientFields(outcome.answer, edge.rules));
  if (outcome.explain !== undefined) {
    for (const [name, value] of explainFields(outcome.explain, outcome.elapsed)) {
      fields.append(name, value);
    }
  }
  return responseOf(outcome.answer, request.method, fields);
}

function inboundOf(edge: Edge, request: Request, facts: Facts): Inbound {
  const { protocol, host, pathname, search } = new URL(request.url);
  const rawFields: string[] = [];
  for (const [name, value] of request.headers) rawFields.push(name, value);
  const { replayBodyBytes } = edge.proxy.configuration;
  return edge.inbound({
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
  });
}

function fieldsOf(pairs: readonly string[]): Headers {
  const fields = new Headers();
  for (let at = 0; at + 1 < pairs.length; at += 2) {
    fields.append(pairs[at] as string, pairs[at + 1] as string);
  }
  return fields;
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
