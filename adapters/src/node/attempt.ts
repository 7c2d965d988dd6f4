/** One request to a target by undici, up to its response's head. */

import type { Duplex } from "node:stream";
import type { Dispatcher } from "undici";
import type { Sending } from "../driver/platform.js";
import { AttemptError, type Resend } from "./attempt-error.js";
import { failureOf, hasConflictingFraming } from "./failures.js";
import type { FieldMap } from "./fields.js";
import { checkedHead, isInterim } from "./response-head.js";
import { UpstreamResponse } from "./upstream-response.js";

/** An attempt that ends with its client. */
export interface Abortable {
  /** The client has disconnected: the attempt fails. */
  onDisconnect(): void;
}

/** The request that an attempt is made for. */
interface Owner {
  end(attempt: Abortable): void;
}

/** The connection that an attempt goes over. */
export interface Carrier {
  /** Whether the present connection has carried a request. */
  used: boolean;
}

type Controller = Dispatcher.DispatchController;

export class Attempt implements Dispatcher.DispatchHandler, Sending<UpstreamResponse>, Abortable {
  readonly result: Promise<UpstreamResponse>;
  /** Set where the connection may have been used before. */
  carrier: Carrier | undefined;
  private resolve!: (upstream: UpstreamResponse) => void;
  private reject!: (error: AttemptError) => void;
  private controller: Controller | undefined;
  private upstream: UpstreamResponse | undefined;
  private abortReason: Error | undefined;
  /** Whether the connection was used before. */
  private reused = false;
  private sent = false;
  private answered = false;

  /** `owner` is notified when the whole exchange is over. */
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
    this.abortWith(new Error("the attempt was aborted"));
  }

  onDisconnect(): void {
    const error = new Error("the client has disconnected");
    this.abortWith(error);
    this.reject(new AttemptError("internal-error", "never", error));
  }

  private abortWith(error: Error): void {
    this.abortReason = error;
    if (this.upstream !== undefined) this.upstream.abort(error);
    else this.controller?.abort(error);
  }

  // Called by undici.

  onRequestStart(controller: Controller): void {
    // Thrown here, it ends this request alone and keeps the connection.
    if (this.abortReason !== undefined) throw this.abortReason;
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
    const head = checkedHead(status, fields);
    if ("failure" in head) {
      const error = new Error(`the target's response cannot be passed on: status ${status}`);
      this.reject(new AttemptError(head.failure, "never", error));
      controller.abort(error);
      return;
    }
    this.upstream = new UpstreamResponse(status, head.fields, controller);
    this.resolve(this.upstream);
  }

  onResponseData(_controller: Controller, chunk: Buffer): void {
    this.upstream?.onData(chunk);
  }

  onResponseEnd(_controller: Controller, trailers: FieldMap): void {
    this.upstream?.onEnd(trailers);
    this.owner?.end(this);
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    if (this.upstream !== undefined) this.upstream.onError(error);
    else {
      const connected = this.controller !== undefined;
      const failure = failureOf(error, connected, this.secure);
      this.reject(new AttemptError(failure, this.resend(error), error));
    }
    this.owner?.end(this);
  }

  onRequestUpgrade(controller: Controller, status: number, fields: FieldMap, socket: Duplex): void {
    const head = checkedHead(status, fields, true);
    if ("failure" in head) {
      this.reject(new AttemptError(head.failure, "never"));
      socket.destroy();
    } else {
      this.upstream = new UpstreamResponse(status, head.fields, controller);
      this.upstream.socket = socket;
      this.resolve(this.upstream);
    }
    this.owner?.end(this);
  }

  private resend(error: Error): Resend {
    if (this.controller === undefined || this.abortReason !== undefined) return "never";
    if (!this.sent) return "unsent";
    if (hasConflictingFraming(error)) return "conflicting-framing";
    return this.reused && !this.answered ? "stale-connection" : "never";
  }
}
