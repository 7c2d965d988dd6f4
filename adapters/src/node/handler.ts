/** Function Fetch as a `node:http` request handler. */

import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Duplex } from "node:stream";
import { explainFields } from "../driver/replies.js";
import type { Outcome } from "../driver/reverse-proxy.js";
import { bodyOf, clientOf, drainRequest, hasBody } from "./client.js";
import { Edge, type Options } from "./edge.js";
import type { Inbound } from "./inbound.js";
import { internalError, localReply } from "./local-reply.js";
import { refusalOf } from "./refusals.js";
import { type Response, relay } from "./relay.js";
import { Tunnels } from "./tunnels.js";
import type { UpstreamResponse } from "./upstream-response.js";

export type Request = IncomingMessage | Http2ServerRequest;

/**
 * A handler for `node:http`, `node:https` and the compatibility API of
 * `node:http2`, and for frameworks on top of them.
 */
export interface NodeHandler {
  /** Serves a request. Resolves when its response is complete, and never rejects. */
  (request: Request, response: Response): Promise<void>;
  /** Serves a WebSocket: for a server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Closes the WebSockets, for which `server.close()` would wait; their clients reconnect. */
  closeWebSockets(): void;
  /** Closes the WebSockets, waits for all else that is under way, and closes the connections to the targets. */
  close(): Promise<void>;
}

/** Makes a handler with its own engine and connections. */
export function createNodeHandler(options: Options = {}): NodeHandler {
  const edge = new Edge(options);
  const handler = (request: Request, response: Response) => serve(edge, request, response);
  const tunnels = new Tunnels(edge, handler);
  return Object.assign(handler, {
    upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) =>
      tunnels.open(request, socket, head),
    closeWebSockets: () => tunnels.close(),
    close: async () => {
      tunnels.close();
      await edge.close();
    },
  });
}

/** Serves one request; resolves when the response is complete. */
function serve(edge: Edge, request: Request, response: Response): Promise<void> {
  return new Promise((resolve) => {
    const refusal = refusalOf(request, hasBody(request));
    if (refusal !== undefined) {
      response.once("close", () => {
        drainRequest(request);
        resolve();
      });
      localReply(response, refusal);
      return;
    }
    const inbound = inboundOf(edge, request);
    response.on("close", () => {
      inbound.onDisconnect();
      drainRequest(request);
      resolve();
    });
    edge
      .serve(inbound)
      .then((outcome) => conclude(edge, inbound, response, outcome))
      .catch((error: unknown) => internalError(edge, response, error));
  });
}

function conclude(
  edge: Edge,
  inbound: Inbound,
  response: Response,
  outcome: Outcome<UpstreamResponse>,
): void {
  if (inbound.isDisconnected) {
    if (outcome.answer !== undefined) outcome.answer.drop();
  } else if (outcome.answer !== undefined) {
    const { explain, elapsed } = outcome;
    const added = explain === undefined ? [] : explainFields(explain, elapsed);
    relay(outcome.answer, response, edge.rules, added);
  } else {
    localReply(response, outcome.reply);
  }
}

function inboundOf(edge: Edge, request: Request): Inbound {
  return edge.inbound({
    method: request.method ?? "GET",
    url: request.url ?? "/",
    rawFields: request.rawHeaders,
    fields: request.headers,
    client: clientOf(request),
    body: bodyOf(request, edge.proxy.configuration.replayBodyBytes, edge.clientBodyTimeout),
    trailing: request,
  });
}
