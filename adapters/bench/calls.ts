/**
 * What a call into the engine costs, in both cores: `npm run bench:calls`.
 *
 * The conversation is that of a warm request: the decision stands, the target
 * answers. Most cost one call, `begin`, since the engine asks to hear of an
 * answer only now and then; others cost a second, `settle`.
 */

import type { Engine, Event } from "../src/engine/interface.js";
import { instantiate as inWebAssembly } from "../src/engine/node.js";
import { instantiate as inJavaScript } from "../src/engine/pure.js";

const NOW = 1_800_000_000_000;
const CALLS = 200_000;
const ROUNDS = 7;
const GOOD: Event = {
  tag: "response",
  val: { target: 0, status: 200, replay: "unsent", ttfb: 12.5 },
};

/** An engine that has measured its targets. */
function warm(instantiate: () => Engine): Engine {
  const engine = instantiate();
  engine.configure(
    [["FETCH_TARGETS", "https://a.example https://b.example https://c.example"]],
    {},
    0.5,
  );
  const cold = engine.begin("GET", "", 0, false, NOW);
  const round = engine.startRound(NOW);
  if (round === undefined) throw new Error("a cold engine starts a round");
  for (const target of round.targets) {
    engine.probed(round.id, target, { tag: "response", val: { status: 200 } }, 10 + target, NOW);
  }
  engine.finishRound(round.id, NOW);
  engine.settle(cold.state, { tag: "round-ready" }, NOW);
  return engine;
}

/** A request, whose response is reported where the engine asks for it, or always. */
function request(engine: Engine, now: number, always: boolean): void {
  const { action, state } = engine.begin("GET", "", 0, false, now);
  if (action.tag !== "send") throw new Error(`a warm engine says ${action.tag}`);
  if (always || action.val.report) engine.settle(state, GOOD, now);
}

/**
 * The microseconds of one turn: the minimum of several rounds, since other processes use this machine
 * too.
 */
function measured(turn: (index: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    for (let index = 0; index < CALLS; index += 1) turn(index);
    least = Math.min(least, ((performance.now() - start) * 1000) / CALLS);
  }
  return least;
}

console.log("core              a request      reported   instantiate");
for (const [name, instantiate] of [
  ["WebAssembly", inWebAssembly],
  ["plain JavaScript", inJavaScript],
] as const) {
  const engine = warm(instantiate);
  // A tenth of a millisecond apart, as on a busy instance, and all of them while the decision is fresh.
  const [usual, reported] = [false, true].map((always) =>
    measured((index) => request(engine, NOW + index / 10, always)),
  );
  const started = performance.now();
  for (let count = 0; count < 20; count += 1) instantiate();
  const each = (performance.now() - started) / 20;
  const figures = [
    [usual, "µs"],
    [reported, "µs"],
    [each, "ms"],
  ].map(([figure, unit]) => `${Number(figure).toFixed(2).padStart(10)} ${unit}`);
  console.log(name.padEnd(16), ...figures);
}
