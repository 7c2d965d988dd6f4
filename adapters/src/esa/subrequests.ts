/**
 * The subrequests of one client's request. ESA allows four at a time; others are
 * queued here, live ones before probes.
 */

import type { Sending } from "../driver/platform.js";

/** https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/fetch-1 */
const MOST = 4;

/**
 * The most that may be live. One is reserved for probes, which find out whether the
 * targets of the others are dead.
 */
const MOST_LIVE = 3;

/** An aborted one counts until the runtime has ended it, and this long after: it closes asynchronously, ms. */
const CLOSING = 5;

/** The longest it counts if the runtime never reports the end, ms. */
const LINGER = 100;

export type Kind = "live" | "probe";

/** A queued subrequest, whatever its result. */
interface Waiting {
  readonly hasBegun: boolean;
  begin(): void;
}

export class Subrequests {
  private readonly running = { live: 0, probe: 0 };
  private readonly waiting: Record<Kind, Waiting[]> = { live: [], probe: [] };

  /** Begins `work` as soon as there is a free slot, which it holds until `Turn.end`. */
  begin<T>(kind: Kind, work: () => Sending<T>): Turn<T> {
    const turn = new Turn(work, () => this.over(kind, turn));
    if (this.hasSlot(kind)) this.start(kind, turn);
    else this.waiting[kind].push(turn);
    return turn;
  }

  private hasSlot(kind: Kind): boolean {
    const { live, probe } = this.running;
    return live + probe < MOST && (kind === "probe" || live < MOST_LIVE);
  }

  private start(kind: Kind, turn: Waiting): void {
    this.running[kind] += 1;
    turn.begin();
  }

  private over(kind: Kind, turn: Waiting): void {
    const { waiting } = this;
    if (turn.hasBegun) this.running[kind] -= 1;
    else waiting[kind] = waiting[kind].filter((other) => other !== turn);
    for (const next of ["live", "probe"] as const) {
      while (this.hasSlot(next)) {
        const first = waiting[next].shift();
        if (first === undefined) break;
        this.start(next, first);
      }
    }
  }
}

/** One subrequest: queued, under way, or over. */
export class Turn<T> implements Sending<T> {
  readonly result: Promise<T>;
  private readonly queued = performance.now();
  private begun: number | undefined;
  private over = false;
  private sending: Sending<T> | undefined;
  private linger: ReturnType<typeof setTimeout> | undefined;
  private resolve!: (work: Promise<T>) => void;

  constructor(
    private readonly work: () => Sending<T>,
    private readonly onEnd: () => void,
  ) {
    this.result = new Promise((resolve) => {
      this.resolve = resolve;
    });
    // A failed one releases its slot.
    this.result.catch(() => this.endSoon(CLOSING));
  }

  get hasBegun(): boolean {
    return this.begun !== undefined;
  }

  get waited(): number {
    return (this.begun ?? performance.now()) - this.queued;
  }

  begin(): void {
    this.begun = performance.now();
    this.sending = this.work();
    this.resolve(this.sending.result);
  }

  /** Releases its slot. */
  end(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.linger);
    this.onEnd();
  }

  /** Releases its slot when `ending` settles, at the latest after so many ms. */
  endAfter(ending: Promise<unknown>, latest = LINGER): void {
    this.endSoon(latest);
    const ended = () => this.endSoon(CLOSING);
    ending.then(ended, ended);
  }

  abort(): void {
    if (this.sending === undefined) {
      this.end();
      return;
    }
    this.sending.abort();
    // Its failure ends it. A response that has arrived is released by its owner.
    this.endSoon(LINGER);
  }

  private endSoon(ms: number): void {
    clearTimeout(this.linger);
    this.linger = setTimeout(() => this.end(), ms);
  }
}
