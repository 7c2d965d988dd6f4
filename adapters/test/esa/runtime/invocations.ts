/** One client's request in the runtime: how many subrequests it has, and whether it is over. */

import { AsyncLocalStorage } from "node:async_hooks";
import type { Context } from "../../../src/esa/runtime.js";

/** https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/fetch-1 */
const MOST = 4;

export class Invocations {
  most = 0;
  readonly refused: string[] = [];
  private readonly current = new AsyncLocalStorage<Invocation>();

  /** Serves one request. `work` is given its context. */
  run<T>(work: (context: Context, invocation: Invocation) => T): T {
    const invocation = new Invocation();
    return this.current.run(invocation, () => work(invocation, invocation));
  }

  /** Counts a subrequest of the current request; what it returns is called at its end. */
  begin(): () => void {
    const invocation = this.usable("a subrequest");
    if (invocation.underWay >= MOST) {
      throw this.refuse(`more than ${MOST} subrequests at a time`);
    }
    invocation.underWay += 1;
    this.most = Math.max(this.most, invocation.underWay);
    let over = false;
    return () => {
      if (!over) invocation.underWay -= 1;
      over = true;
    };
  }

  /** The current request, which may use what the runtime offers. */
  usable(what: string): Invocation {
    const invocation = this.current.getStore();
    if (invocation === undefined) throw this.refuse(`${what} outside of a request`);
    if (invocation.isOver) throw this.refuse(`${what} after the request was over`);
    return invocation;
  }

  refuse(reason: string): TypeError {
    this.refused.push(reason);
    return new TypeError(reason);
  }
}

export class Invocation implements Context {
  underWay = 0;
  private answered = false;
  private waitedFor = 0;

  waitUntil(work: Promise<unknown>): void {
    this.waitedFor += 1;
    const over = () => {
      this.waitedFor -= 1;
    };
    work.then(over, over);
  }

  /** Its response is complete; only work given to `waitUntil` may continue. */
  end(): void {
    this.answered = true;
  }

  get isOver(): boolean {
    return this.answered && this.waitedFor === 0;
  }
}
