/** How an origin responds to its requests. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Field } from "./fields.js";
import type { Seen } from "./seen.js";

/**
 * A faulty response: `reset` closes with a reset once the head is read; `silent`
 * never responds; `garbage` sends bytes that are not HTTP; `short` announces 100
 * bytes, sends ten and resets.
 */
export type Fault = "reset" | "silent" | "garbage" | "short";

export interface Answer {
  /** 200 unless given. */
  readonly status?: number | undefined;
  readonly headers?: readonly Field[] | undefined;
  /** The origin's name unless given; nothing for a status without content. */
  readonly body?: string | Uint8Array | undefined;
  /** Before the head, ms. */
  readonly delay?: number | undefined;
  readonly trailers?: readonly Field[] | undefined;
  /** In place of all that. */
  readonly fault?: Fault | undefined;
  /** False: answers before the request's body was read. */
  readonly readBody?: boolean | undefined;
}

/** Writes a response itself. What it leaves of the request is read for the record. */
export type Script = (request: IncomingMessage, response: ServerResponse, seen: Seen) => void;

export interface Behaviour {
  /** Nothing listens on the port. */
  readonly dead?: boolean | undefined;
  /** The response to a probe. */
  readonly health?: Answer | undefined;
  /** The responses to other requests, in order; the last is repeated. */
  readonly answers?: readonly Answer[] | Script | undefined;
}
