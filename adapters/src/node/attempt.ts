/** One request to a target by undici, up to its answer's head. */

import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import { AttemptFailed } from "../driver/attempt-failed.js";
import type { Sending } from "../driver/platform.js";
import { Answer } from "./answer.js";
import { failureOf } from "./failures.js";
import type { FieldMap } from "./fields.js";

/** An attempt that can be ended from outside. */
export interface Abortable {
  /** Its client has gone: the attempt fails. */
  leave(): void;
}

/** For whom an attempt is made. */
interface Owner {
  end(attempt: Abortable): void;
}

type Controller = Dispatcher.DispatchController;

export class Attempt implements Dispatcher.DispatchHandler, Sending<Answer>, Abortable {
  readonly result: Promise<Answer>;
  private resolve!: (answer: Answer) => void;
  private reject!: (error: AttemptFailed) => void;
  private controller: Controller | undefined;
  private answer: Answer | undefined;
  private given: Error | undefined;

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
    this.reject(new AttemptFailed("internal-error", error));
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
  }

  onResponseStart(controller: Controller, status: number, fields: FieldMap): void {
    // RFC 9110 §15.2: interim answers are between the target and us.
    if (status < 200) return;
    this.answer = new Answer(status, fields, controller);
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
      this.reject(new AttemptFailed(failureOf(error, connected, this.secure), error));
    }
    this.owner?.end(this);
  }

  onRequestUpgrade(controller: Controller, status: number, fields: FieldMap, socket: Duplex): void {
    this.answer = new Answer(status, fields, controller);
    this.answer.socket = socket;
    this.resolve(this.answer);
    this.owner?.end(this);
  }
}
