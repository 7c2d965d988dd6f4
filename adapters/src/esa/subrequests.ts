/**
 * The subrequests of one client's request. ESA lets four of them be under way at
 * a time; those beyond wait here, and live ones before probes.
 */

import type { Sending } from "../driver/platform.js";

/** https://www.alibabacloud.com/help/en/edge-security-acceleration/esa/user-guide/fetch-1 */
const MOST = 4;

/**
 * The most that may be live. One is left for probes, which say whether the
 * others are waited for in vain.
 */
const MOST_LIVE = 3;

/** What was given up counts until the runtime has ended it, and this long beyond: it closes behind our back, ms. */
const MOMENT = 5;

/** Should the runtime never say that it has ended it, ms. */
const LINGER = 100;

export type Kind = "live" | "probe";

/** What waits, whatever it brings. */
interface Waiting {
  readonly hasBegun: boolean;
  begin(): void;
}

export class Subrequests {
  private readonly underWay = { live: 0, probe: 0 };
  private readonly waiting: Record<Kind, Waiting[]> = { live: [], probe: [] };

  /** Begins `work` as soon as there is room. It keeps its room until `Turn.end`. */
  begin<T>(kind: Kind, work: () => Sending<T>): Turn<T> {
    const turn = new Turn(work, () => this.over(kind, turn));
    if (this.hasRoom(kind)) this.start(kind, turn);
    else this.waiting[kind].push(turn);
    return turn;
  }

  private hasRoom(kind: Kind): boolean {
    const { live, probe } = this.underWay;
    return live + probe < MOST && (kind === "probe" || live < MOST_LIVE);
  }

  private start(kind: Kind, turn: Waiting): void {
    this.underWay[kind] += 1;
    turn.begin();
  }

  private over(kind: Kind, turn: Waiting): void {
    const { waiting } = this;
    if (turn.hasBegun) this.underWay[kind] -= 1;
    else waiting[kind] = waiting[kind].filter((other) => other !== turn);
    for (const next of ["live", "probe"] as const) {
      while (this.hasRoom(next)) {
        const first = waiting[next].shift();
        if (first === undefined) break;
        this.start(next, first);
      }
    }
  }
}

/** One subrequest, before it may begin, while it is under way, and after. */
export class Turn<T> implements Sending<T> {
  readonly result: Promise<T>;
  private readonly asked = performance.now();
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
    // One that fails holds no room any more.
    this.result.catch(() => this.endSoon(MOMENT));
  }

  get hasBegun(): boolean {
    return this.begun !== undefined;
  }

  get waited(): number {
    return (this.begun ?? performance.now()) - this.asked;
  }

  begin(): void {
    this.begun = performance.now();
    this.sending = this.work();
    this.resolve(this.sending.result);
  }

  /** Gives its room to others. */
  end(): void {
    if (this.over) return;
    this.over = true;
    clearTimeout(this.linger);
    this.onEnd();
  }

  /** Gives its room to others as soon as `ending` is over, or after so many ms. */
  endAfter(ending: Promise<unknown>, latest = LINGER): void {
    this.endSoon(latest);
    const ended = () => this.endSoon(MOMENT);
    ending.then(ended, ended);
  }

  abort(): void {
    if (this.sending === undefined) {
      this.end();
      return;
    }
    this.sending.abort();
    // Its failure ends it. An answer that came before is let go of by whoever has it.
    this.endSoon(LINGER);
  }

  private endSoon(ms: number): void {
    clearTimeout(this.linger);
    this.linger = setTimeout(() => this.end(), ms);
  }
}
