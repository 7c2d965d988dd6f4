/** Slow bodies, and what must be observable behind any proxy. */

import assert from "node:assert/strict";
import type { ServerResponse } from "node:http";
import type { Behaviour } from "./behaviour.js";
import { Conversation } from "./client.js";
import type { Origin } from "./origin.js";
import type { Seen } from "./seen.js";
import { eventually } from "./waiting.js";

const PIECE = Buffer.alloc(256 * 1024, "x");

/** Sends so many bytes, in chunks of 256 KiB, as fast as they are taken. */
export function pour(response: ServerResponse, bytes: number): void {
  let left = bytes;
  const more = () => {
    while (left > 0) {
      left -= PIECE.byteLength;
      if (!response.write(PIECE)) return;
    }
    response.end();
  };
  response.on("drain", more);
  more();
}

/** An origin's behaviour: two server-sent events, each when its reader is ready for it. */
export class Events {
  private steps: (() => void)[] = [];

  readonly behaviour: Behaviour = {
    answers: (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.flushHeaders();
      this.steps = [
        () => response.write("data: one\n\n"),
        () => response.write("data: two\n\n"),
        () => response.end(),
      ];
    },
  };

  /** The head comes before the first event, and each event before the next one is sent. */
  async arriveOneByOne(port: number): Promise<void> {
    const conversation = await Conversation.open(port);
    assert.equal((await conversation.head()).status, 200);
    const [one, two, end] = this.steps;
    assert.equal(this.steps.length, 3);
    one?.();
    assert.equal((await conversation.piece())?.toString(), "data: one\n\n");
    two?.();
    assert.equal((await conversation.piece())?.toString(), "data: two\n\n");
    end?.();
    assert.equal((await conversation.finish()).broken, false);
    this.steps = [];
  }
}

/** The first request at an origin, once the chunk `first` of the body has arrived. */
export function firstPieceAt({ seen }: Origin): Promise<Seen> {
  return eventually("the origin has the first piece", () => {
    const [request] = seen;
    return request?.bodyBytes === 5 && request;
  });
}

/** An upload in two chunks: the origin has the first one before the second is sent. */
export async function uploadArrivesPieceByPiece(port: number, origin: Origin): Promise<Seen> {
  const conversation = await Conversation.open(port, { method: "POST", chunked: true });
  await conversation.chunk("first");
  const seen = await firstPieceAt(origin);
  await conversation.chunk("second");
  await conversation.endChunks();
  assert.equal((await conversation.finish()).status, 200);
  assert.equal(seen.body.toString(), "firstsecond");
  return seen;
}

/** An origin's behaviour: a body that begins and does not end. */
export const ENDLESS: Behaviour = {
  answers: (_request, response) => {
    response.writeHead(200);
    response.write("the first of many");
  },
};

/** A client that disconnects in the middle of `ENDLESS` cancels the request at the origin. */
export async function disconnectingCancels(port: number, { seen }: Origin): Promise<void> {
  const conversation = await Conversation.open(port);
  assert.equal((await conversation.piece())?.toString(), "the first of many");
  conversation.wire.reset();
  await eventually("the origin notices it", () => seen[0]?.abandoned);
}
