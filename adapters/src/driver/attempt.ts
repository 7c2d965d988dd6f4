/**
 * Attempts under way: usually one, two with a hedge, several in a raced cold
 * start.
 */

import type { Event, Exchange, Forward, Step } from "../engine/interface.js";
import type { Upload } from "./platform.js";
import type { Call, Proxy } from "./proxy.js";
import { type Ended, LONGEST_TIMER, Watch } from "./watch.js";

interface Running<A> {
  readonly ended: Promise<Ended<A>>;
  abort(): void;
}

/** The engine has said what comes next; an answer is held for it. */
export interface Concluded<A> {
  readonly step: Step;
  readonly answer: A | undefined;
}

/** What became of the attempts that the engine called for. */
type Settled<A> =
  | Concluded<A>
  /** An answer that may be relayed unasked. */
  | { readonly step?: undefined; readonly answer: A };

/**
 * Whether nothing runs beside an attempt, and a good answer may be relayed
 * unasked: nearly every one of a warm instance, so it goes the shortest way.
 */
export function isPlain(forward: Forward): boolean {
  return !forward.report && forward.widen === Number.POSITIVE_INFINITY;
}

/**
 * Makes a plain attempt, the first of its request. `relay` gets a good answer,
 * `conclude` hears of any other end.
 */
export function plainAttempt<Q extends Upload, A>(
  proxy: Proxy<Q, A>,
  call: Call<Q>,
  exchange: Exchange,
  forward: Forward,
  relay: (answer: A) => void,
  conclude: (concluded: Promise<Concluded<A>>) => void,
): void {
  new Watch(proxy, call, exchange, forward, (ended) => {
    const { answer } = ended;
    if (answer !== undefined && isUnreported(proxy, forward, answer)) {
      relay(answer);
      return;
    }
    const heard = eventOf(proxy, call, ended);
    conclude(
      heard.then((event) => ({ step: proxy.engine.settle(exchange, event, Date.now()), answer })),
    );
  });
}

/**
 * Makes the attempt that the engine called for, and others beside it where it
 * says so. Those that lose are given up.
 */
export async function attempt<Q extends Upload, A>(
  proxy: Proxy<Q, A>,
  call: Call<Q>,
  exchange: Exchange,
  forward: Forward,
  again: boolean,
): Promise<Settled<A>> {
  const { engine, platform } = proxy;
  if (again) {
    // An earlier attempt may have been answered while it still took the body;
    // if it took more than can be sent again, this one must not start.
    const body = await call.request.reclaim();
    if (body === "gone" || body === "broken") {
      const failed: Event = { tag: "failed", val: { failure: "internal-error", body } };
      return { step: engine.settle(exchange, failed, Date.now()), answer: undefined };
    }
  }
  const running = new Map([[forward.target, run(proxy, call, exchange, forward)]]);
  let held: A | undefined;
  let x = exchange;
  let widen = forward.widen;
  for (;;) {
    const ended = await next(running, widen);
    if (ended === undefined) {
      const wider = engine.widen(x, Date.now());
      widen = Number.POSITIVE_INFINITY;
      if (wider?.action.tag === "forward") {
        proxy.beside(wider, call.background);
        x = wider.exchange;
        const other = wider.action.val;
        widen = other.widen;
        running.set(other.target, run(proxy, call, x, other));
      }
      continue;
    }
    running.delete(ended.target);
    let good = false;
    if (ended.answer !== undefined) {
      if (isUnreported(proxy, forward, ended.answer)) return { answer: ended.answer };
      if (held !== undefined) platform.drop(held);
      held = ended.answer;
      good = isGood(platform.status(held), proxy.configuration.retryOn5xx);
    }
    const event = await eventOf(proxy, call, ended);
    if (good || running.size === 0) {
      for (const loser of running.values()) loser.abort();
      const step = engine.settle(engine.atTarget(x, ended.target), event, Date.now());
      return { step, answer: held };
    }
    x = engine.note(x, ended.target, event, Date.now());
    proxy.tell();
  }
}

/** Whether an answer may be relayed unasked. */
function isUnreported<Q extends Upload, A>(
  { platform }: Proxy<Q, A>,
  forward: Forward,
  answer: A,
): boolean {
  return !forward.report && platform.status(answer) < 500;
}

/** What the engine hears of the end of an attempt. */
async function eventOf<Q extends Upload, A>(
  { platform }: Proxy<Q, A>,
  call: Call<Q>,
  { answer, failure, begun }: Ended<A>,
): Promise<Event> {
  if (answer !== undefined) {
    return {
      tag: "response",
      val: {
        status: platform.status(answer),
        retryAfter: platform.retryAfter(answer),
        head: performance.now() - begun,
        body: call.request.fate,
      },
    };
  }
  const body = await call.request.reclaim();
  if (failure === undefined) return { tag: "lost", val: body };
  return { tag: "failed", val: { failure, body } };
}

/** Whether a status is the client's to see, or worth another attempt. */
function isGood(status: number, retryOn5xx: boolean): boolean {
  return status < 500 || !retryOn5xx || status === 501 || status === 505;
}

/** The first attempt to end, or nothing when `widen` has passed before. */
function next<A>(
  running: ReadonlyMap<number, Running<A>>,
  widen: number,
): Promise<Ended<A> | undefined> {
  if (running.size === 1 && widen === Number.POSITIVE_INFINITY) {
    for (const only of running.values()) return only.ended;
  }
  const ends: Promise<Ended<A> | undefined>[] = Array.from(running.values(), (one) => one.ended);
  if (widen === Number.POSITIVE_INFINITY) return Promise.race(ends);
  let timer: ReturnType<typeof setTimeout> | undefined;
  ends.push(
    new Promise((resolve) => {
      timer = setTimeout(resolve, Math.min(widen, LONGEST_TIMER), undefined);
    }),
  );
  return Promise.race(ends).finally(() => {
    if (timer !== undefined) clearTimeout(timer);
  });
}

/** An attempt beside which others may run. */
function run<Q extends Upload, A>(
  proxy: Proxy<Q, A>,
  call: Call<Q>,
  exchange: Exchange,
  forward: Forward,
): Running<A> {
  let watch: Watch<Q, A> | undefined;
  const ended = new Promise<Ended<A>>((resolve) => {
    watch = new Watch(proxy, call, exchange, forward, resolve);
  });
  return {
    ended,
    abort() {
      watch?.abort();
      // Should its head be there already, it is let go of.
      void ended.then(({ answer }) => {
        if (answer !== undefined) proxy.platform.drop(answer);
      });
    },
  };
}
