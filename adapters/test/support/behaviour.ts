/** What an origin does with the requests that it gets. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Field } from "./fields.js";
import type { Seen } from "./seen.js";

/**
 * How an answer goes wrong: `reset` closes with a reset once the head is read;
 * `silent` never answers; `garbage` answers with bytes that are no HTTP; `short`
 * promises 100 bytes, sends ten and resets.
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
  /** Instead of all that. */
  readonly fault?: Fault | undefined;
  /** False: answers before the request's body was read. */
  readonly readBody?: boolean | undefined;
}

/** Writes a response by itself. What it leaves of the request is read for the record. */
export type Script = (request: IncomingMessage, response: ServerResponse, seen: Seen) => void;

export interface Behaviour {
  /** Nobody listens on the port. */
  readonly dead?: boolean | undefined;
  /** What a probe gets. */
  readonly health?: Answer | undefined;
  /** What everything else gets, one after the other; the last is repeated. */
  readonly answers?: readonly Answer[] | Script | undefined;
}
