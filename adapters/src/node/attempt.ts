/** One request to a target by undici, up to its answer's head. */

import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import type { Sending } from "../driver/platform.js";
import { Answer } from "./answer.js";
import { failureOf, isFramedTwice } from "./failures.js";
import type { FieldMap } from "./fields.js";
import { isInterim, received } from "./heads.js";
import { type Again, Lost } from "./lost.js";

/** An attempt that can be ended from outside. */
export interface Abortable {
  /** Its client has gone: the attempt fails. */
  leave(): void;
}

/** For whom an attempt is made. */
interface Owner {
  end(attempt: Abortable): void;
}

/** What takes an attempt to its target. */
export interface Carrier {
  /** Whether a request went over the connection that stands now. */
  used: boolean;
}

type Controller = Dispatcher.DispatchController;

export class Attempt implements Dispatcher.DispatchHandler, Sending<Answer>, Abortable {
  readonly result: Promise<Answer>;
  /** Of a connection that may have been used before. */
  carrier: Carrier | undefined;
  private resolve!: (answer: Answer) => void;
  private reject!: (error: Lost) => void;
  private controller: Controller | undefined;
  private answer: Answer | undefined;
  private given: Error | undefined;
  /** Whether the connection was used before. */
  private reused = false;
  private sent = false;
  private answered = false;

  /** `owner` hears of the end of the whole exchange. */
  constructor(
    private readonly secure: boolean,
    private readonly owner?: Owner,
  ) {
    this.result = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  abort(): void {
    this.giveUp(new Error("the attempt was given up"));
  }

  leave(): void {
    const error = new Error("the client has gone");
    this.giveUp(error);
    this.reject(new Lost("internal-error", "never", error));
  }

  private giveUp(error: Error): void {
    this.given = error;
    if (this.answer !== undefined) this.answer.abort(error);
    else this.controller?.abort(error);
  }

  // What undici calls.

  onRequestStart(controller: Controller): void {
    // Thrown, it ends this request and leaves the connection to others.
    if (this.given !== undefined) throw this.given;
    this.controller = controller;
    const { carrier } = this;
    if (carrier === undefined) return;
    this.reused = carrier.used;
    carrier.used = true;
  }

  onBodySent(): void {
    this.sent = true;
  }

  onRequestSent(): void {
    this.sent = true;
  }

  onResponseStarted(): void {
    this.answered = true;
  }

  onResponseStart(controller: Controller, status: number, fields: FieldMap): void {
    if (isInterim(status)) return;
    const head = received(status, fields);
    if ("failure" in head) {
      const error = new Error(`the target's answer cannot be handed on: status ${status}`);
      this.reject(new Lost(head.failure, "never", error));
      controller.abort(error);
      return;
    }
    this.answer = new Answer(status, head.fields, controller);
    this.resolve(this.answer);
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.answer?.onData(chunk);
  }

  onResponseEnd(_controller: Controller, trailers: FieldMap): void {
    this.answer?.onEnd(trailers);
    this.owner?.end(this);
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.answer !== undefined) this.answer.onError(error);
    else {
      const connected = this.controller !== undefined;
      const failure = failureOf(error, connected, this.secure);
      this.reject(new Lost(failure, this.again(error), error));
    }
    this.owner?.end(this);
  }

  onRequestUpgrade(controller: Controller, status: number, fields: FieldMap, socket: Duplex): void {
    const head = received(status, fields, true);
    if ("failure" in head) {
      this.reject(new Lost(head.failure, "never"));
      socket.destroy();
    } else {
      this.answer = new Answer(status, head.fields, controller);
      this.answer.socket = socket;
      this.resolve(this.answer);
    }
    this.owner?.end(this);
  }

  private again(error: Error): Again {
    if (this.controller === undefined || this.given !== undefined) return "never";
    if (!this.sent) return "unsent";
    if (isFramedTwice(error)) return "framed-twice";
    return this.reused && !this.answered ? "kept" : "never";
  }
}
