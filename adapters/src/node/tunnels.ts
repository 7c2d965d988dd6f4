/** WebSockets: routed like other requests, then a tunnel. */

import { createServer, type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { textReply } from "../driver/replies.js";
import type { HookedRequest } from "../hooks.js";
import { clientOf, hasBody } from "./client.js";
import type { Edge } from "./edge.js";
import { joined } from "./fields.js";
import { admit, changedFields, sendResponse } from "./hooked.js";
import type { Inbound, Origins } from "./inbound.js";
import { internalError, localFields, localReply } from "./local-reply.js";
import { refusalOf } from "./refusals.js";
import { answeredFields, clientFields, relay } from "./relay.js";
import { MAX_HEAD_BYTES } from "./response-head.js";
import type { UpstreamResponse } from "./upstream-response.js";

/** The body would be on the bare socket, without a parser that knows its end. */
const BODY = textReply(
  501,
  "http_request_error",
  "A request with a body cannot switch protocols.\n",
);

/** The fields of an offered upgrade, which `connection` lists. */
const OFFER = /^(?:upgrade|http2-settings)$/i;

export class Tunnels {
  private readonly opened = new Set<Duplex>();
  /** Serves connections that asked for another protocol, without the upgrade. */
  private readonly declining: Server;

  /** `serve`: serves a request without an upgrade. */
  constructor(
    private readonly edge: Edge,
    serve: (request: IncomingMessage, response: ServerResponse) => void,
  ) {
    // The server that accepted the connection has its limits; this head passed them.
    this.declining = createServer({ maxHeaderSize: MAX_HEAD_BYTES }, (request, response) => {
      // That server may be closing, and this one is never closed.
      response.shouldKeepAlive = false;
      serve(request, response);
    });
  }

  /** Resolves when a target has responded. */
  async open(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    if (request.headers.upgrade?.toLowerCase() !== "websocket") {
      this.decline(request, socket, head);
      return;
    }
    socket.on("error", () => socket.destroy());
    // Node.js has detached the socket; a response that is not a tunnel needs a new `ServerResponse`.
    const response = responseOn(request, socket);
    const refusal = hasBody(request) ? BODY : refusalOf(request, false);
    if (refusal !== undefined) return localReply(response(), refusal);
    try {
      const from = originsOf(request);
      const { hooks } = this.edge;
      if (hooks === undefined) return await this.route(from, undefined, socket, head, response);
      const admitted = await admit(hooks, from);
      if (socket.destroyed) return;
      if ("response" in admitted) await sendResponse(admitted.response, response());
      else await this.route(admitted.from, admitted.request, socket, head, response);
    } catch (error) {
      internalError(this.edge, response(), error);
    }
  }

  private async route(
    from: Origins,
    hooked: HookedRequest | undefined,
    socket: Duplex,
    head: Buffer,
    response: () => ServerResponse,
  ): Promise<void> {
    const inbound: Inbound = this.edge.inbound(from);
    const onDisconnect = () => inbound.onDisconnect();
    socket.once("close", onDisconnect);
    // While nothing reads the socket, only this shows that the client has disconnected.
    socket.once("end", onDisconnect);
    const outcome = await this.edge.serve(inbound);
    socket.off("end", onDisconnect);
    const { answer } = outcome;
    const { rules, hooks } = this.edge;
    let fields: string[];
    if (answer === undefined) fields = localFields(outcome.reply);
    else if (answer.socket === undefined) fields = answeredFields(outcome, rules);
    else fields = clientFields(answer, rules);
    if (hooked !== undefined && hooks !== undefined) {
      try {
        fields = await changedFields(hooks, answer ?? outcome.reply, fields, hooked);
      } catch (error) {
        answer?.drop();
        throw error;
      }
    }
    if (inbound.isDisconnected) answer?.drop();
    else if (answer === undefined) localReply(response(), outcome.reply, fields);
    else if (answer.socket === undefined) relay(answer, response(), fields);
    else this.connect(answer, answer.socket, fields, socket, head);
  }

  /** Closes all tunnels. */
  close(): void {
    for (const socket of this.opened) socket.destroy();
  }

  /**
   * Other protocols (h2c) are declined by serving the request without the upgrade
   * (RFC 9110 §7.8). Its body is still on the socket.
   */
  private decline(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const without = headWithoutOffer(request);
    socket.unshift(Buffer.concat([Buffer.from(without, "latin1"), head]));
    this.declining.emit("connection", socket);
  }

  private connect(
    upstream: UpstreamResponse,
    target: Duplex,
    fields: readonly string[],
    client: Duplex,
    head: Buffer,
  ): void {
    client.write(switching(upstream, fields), "latin1");
    if (head.byteLength > 0) target.write(head);
    this.opened.add(client);
    client.once("close", () => {
      this.opened.delete(client);
      target.destroy();
    });
    target.once("close", () => client.destroy());
    target.on("error", () => client.destroy());
    client.pipe(target);
    target.pipe(client);
  }
}

function originsOf(request: IncomingMessage): Origins {
  return {
    upgrade: request.headers.upgrade ?? "",
    method: request.method ?? "GET",
    url: request.url ?? "/",
    rawFields: request.rawHeaders,
    fields: request.headers,
    client: clientOf(request),
    body: undefined,
  };
}

/** The request's head as it came, without the offered upgrade. */
function headWithoutOffer({ method, url, httpVersion, rawHeaders }: IncomingMessage): string {
  let head = `${method} ${url} HTTP/${httpVersion}\r\n`;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] as string;
    let value = rawHeaders[at + 1] as string;
    if (OFFER.test(name)) continue;
    if (name.toLowerCase() === "connection") {
      const others = value.split(",").filter((option) => !OFFER.test(option.trim()));
      value = others.join();
    }
    head += `${name}: ${value}\r\n`;
  }
  return `${head}\r\n`;
}

/** The head of a 101, with its `connection` and `upgrade` fields. */
function switching(upstream: UpstreamResponse, fields: readonly string[]): string {
  let head = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\n";
  head += `upgrade: ${joined(upstream.fields.upgrade) ?? "websocket"}\r\n`;
  for (let at = 0; at + 1 < fields.length; at += 2) head += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return `${head}\r\n`;
}

/** Makes a response on a bare socket on the first call; the connection closes after it. */
function responseOn(request: IncomingMessage, socket: Duplex): () => ServerResponse {
  let response: ServerResponse | undefined;
  return () => {
    if (response !== undefined) return response;
    const made = new ServerResponse(request);
    response = made;
    made.shouldKeepAlive = false;
    // It is a `net.Socket` or a `tls.TLSSocket`; the event's type does not say so.
    made.assignSocket(socket as Socket);
    socket.on("drain", () => made.emit("drain"));
    made.once("finish", () => socket.end());
    return made;
  };
}
