/** Function Fetch as a request handler of `node:http`. */

import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Duplex } from "node:stream";
import type { Outcome } from "../driver/proxy.js";
import { explainFields } from "../driver/replies.js";
import type { Answer } from "./answer.js";
import { bodyOf, clientOf, hasBody, letGo } from "./client.js";
import { Edge, type Options } from "./edge.js";
import type { Inbound } from "./inbound.js";
import { fail, reply } from "./own-words.js";
import { refusalOf } from "./refusals.js";
import { type Response, relay } from "./relay.js";
import { Tunnels } from "./tunnels.js";

export type Request = IncomingMessage | Http2ServerRequest;

/**
 * A handler for `node:http`, `node:https` and the compatibility API of
 * `node:http2`, and for frameworks on top of them.
 */
export interface NodeHandler {
  /** Serves a request. Resolves when its response is over, and never rejects. */
  (request: Request, response: Response): Promise<void>;
  /** Serves a WebSocket: for a server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void>;
  /** Ends the WebSockets, for which `server.close()` would wait; their clients connect anew. */
  closeWebSockets(): void;
  /** Ends the WebSockets, waits for all else that is under way, and closes the connections to the targets. */
  close(): Promise<void>;
}

/** Makes a handler with an engine and connections of its own. */
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

/** Serves one request; resolves when the response is over. */
function serve(edge: Edge, request: Request, response: Response): Promise<void> {
  return new Promise((resolve) => {
    const refusal = refusalOf(request, hasBody(request));
    if (refusal !== undefined) {
      response.once("close", () => {
        letGo(request);
        resolve();
      });
      reply(response, refusal);
      return;
    }
    const inbound = inboundOf(edge, request);
    response.on("close", () => {
      inbound.leave();
      letGo(request);
      resolve();
    });
    edge
      .serve(inbound)
      .then((outcome) => conclude(edge, inbound, response, outcome))
      .catch((error: unknown) => fail(edge, response, error));
  });
}

function conclude(
  edge: Edge,
  inbound: Inbound,
  response: Response,
  outcome: Outcome<Answer>,
): void {
  if (inbound.hasLeft) {
    if (outcome.answer !== undefined) outcome.answer.drop();
  } else if (outcome.answer !== undefined) {
    const { explain, elapsed } = outcome;
    const added = explain === undefined ? [] : explainFields(explain, elapsed);
    relay(outcome.answer, response, edge.rules, added);
  } else {
    reply(response, outcome.reply);
  }
}

function inboundOf(edge: Edge, request: Request): Inbound {
  return edge.inbound({
    method: request.method ?? "GET",
    url: request.url ?? "/",
    rawFields: request.rawHeaders,
    fields: request.headers,
    client: clientOf(request),
    body: bodyOf(request, edge.proxy.configuration.replayBodyBytes),
    trailing: request,
  });
}
