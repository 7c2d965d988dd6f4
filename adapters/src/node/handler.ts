/** Function Fetch as a `node:http` request handler. */

import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import type { Duplex } from "node:stream";
import type { Outcome } from "../driver/reverse-proxy.js";
import type { HookedRequest, Hooks } from "../hooks.js";
import { bodyOf, clientOf, drainRequest, hasBody } from "./client.js";
import { Edge, type Options } from "./edge.js";
import { admit, changedFields, sendResponse } from "./hooked.js";
import type { Inbound, Origins } from "./inbound.js";
import { internalError, localFields, localReply } from "./local-reply.js";
import { refusalOf } from "./refusals.js";
import { answeredFields, type Response, relay } from "./relay.js";
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
    let inbound: Inbound | undefined;
    let isClosed = false;
    response.on("close", () => {
      isClosed = true;
      inbound?.onDisconnect();
      drainRequest(request);
      resolve();
    });
    const route = async (from: Origins, hooked?: HookedRequest): Promise<void> => {
      inbound = edge.inbound(from);
      // It may have disconnected while a hook ran.
      if (isClosed) inbound.onDisconnect();
      const concluding = conclude(edge, inbound, response, await edge.serve(inbound), hooked);
      if (concluding !== undefined) await concluding;
    };
    const from = originsOf(edge, request);
    const throughHooks = async (hooks: Hooks): Promise<void> => {
      const admitted = await admit(hooks, from);
      if ("from" in admitted) await route(admitted.from, admitted.request);
      else if (!isClosed) await sendResponse(admitted.response, response);
    };
    const { hooks } = edge;
    const served = hooks === undefined ? route(from) : throughHooks(hooks);
    served.catch((error: unknown) => internalError(edge, response, error));
  });
}

/** Undefined when it is done at once: without a hook to wait for. */
function conclude(
  edge: Edge,
  inbound: Inbound,
  response: Response,
  outcome: Outcome<UpstreamResponse>,
  hooked: HookedRequest | undefined,
): Promise<void> | undefined {
  const { answer } = outcome;
  if (inbound.isDisconnected) {
    answer?.drop();
    return undefined;
  }
  const fields =
    answer === undefined ? localFields(outcome.reply) : answeredFields(outcome, edge.rules);
  const send = (fields: string[]): void => {
    if (inbound.isDisconnected) answer?.drop();
    else if (answer !== undefined) relay(answer, response, fields);
    else localReply(response, outcome.reply, fields);
  };
  if (hooked !== undefined && edge.hooks?.onResponse !== undefined) {
    return changedFields(edge.hooks, answer ?? outcome.reply, fields, hooked).then(
      send,
      (error: unknown) => {
        answer?.drop();
        throw error;
      },
    );
  }
  send(fields);
  return undefined;
}

function originsOf(edge: Edge, request: Request): Origins {
  return {
    method: request.method ?? "GET",
    url: request.url ?? "/",
    rawFields: request.rawHeaders,
    fields: request.headers,
    client: clientOf(request),
    body: bodyOf(request, edge.proxy.configuration.replayBodyBytes, edge.clientBodyTimeout),
    trailing: request,
  };
}
