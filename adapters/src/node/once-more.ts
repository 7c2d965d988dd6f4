/**
 * A request to one target: once more, when it was lost in a way that says
 * nothing of the target. The driver hears of the second try alone.
 */

import type { Sending } from "../driver/platform.js";
import type { Answer } from "./answer.js";
import { Lost } from "./lost.js";

/** How a request goes. */
export type Way =
  /** Over a connection that may have been used before. */
  | "kept"
  /** Over one of its own. */
  | "alone"
  /** Over one of its own, and its answer may be framed twice. */
  | "framed-twice";

/** RFC 9110 §9.2.2. */
const IDEMPOTENT: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "OPTIONS",
  "TRACE",
  "PUT",
  "DELETE",
]);

/** What is sent, as far as it matters here. */
interface Repeatable {
  readonly method: string;
  /** Takes the body back. Whether all can be sent again from the first byte on. */
  takeBack(): boolean;
}

/** Sends by `make`. A body that is bad from its beginning is an attempt that failed. */
export function sendOnceMore(
  request: Repeatable,
  make: (way: Way) => Sending<Answer>,
): Sending<Answer> {
  let current = begun(make, "kept");
  let givenUp = false;
  const again = (error: unknown): Promise<Answer> => {
    const way = givenUp ? undefined : wayAgain(error, request);
    if (way === undefined) throw error;
    current = begun(make, way);
    return current.result.then(sound);
  };
  return {
    result: current.result.then(sound, again),
    abort() {
      givenUp = true;
      current.abort();
    },
  };
}

/** What cannot be sent at all fails as what could not be sent well. */
function begun(make: (way: Way) => Sending<Answer>, way: Way): Sending<Answer> {
  try {
    return make(way);
  } catch (error) {
    const lost = new Lost("http-request-uri-invalid", "never", error);
    return { result: Promise.reject(lost), abort() {} };
  }
}

function wayAgain(error: unknown, request: Repeatable): Way | undefined {
  if (!(error instanceof Lost) || error.again === "never") return undefined;
  if (error.again !== "unsent" && !IDEMPOTENT.has(request.method)) return undefined;
  if (!request.takeBack()) return undefined;
  return error.again === "framed-twice" ? "framed-twice" : "alone";
}

/**
 * A chunk that came with the head may be bad: undici says so when it has closed
 * the socket, which is after the second of such turns.
 */
function sound(answer: Answer): Answer | Promise<Answer> {
  if (!answer.isBare || answer.fields["transfer-encoding"] === undefined) return judged(answer);
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  }).then(() => judged(answer));
}

/** Nothing of an answer has gone to the client yet: one that broke at once is none. */
function judged(answer: Answer): Answer {
  const { brokenAtOnce } = answer;
  if (brokenAtOnce === undefined) return answer;
  throw new Lost("http-protocol-error", "never", brokenAtOnce);
}
