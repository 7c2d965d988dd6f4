import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { instantiateCore } from "../../generated/engine.core.js";
import { instantiate as link } from "../../generated/engine.js";
import type {
  DecisionRecord,
  Engine,
  Event,
  Limits,
  RequestState,
  Stored,
  TargetRecord,
} from "../../src/engine/interface.js";
import { instantiate as inWebAssembly } from "../../src/engine/node.js";
import { instantiate as inJavaScript } from "../../src/engine/pure.js";
import { converse, random, SETTINGS } from "./conversation.js";

const PACKAGE = join(import.meta.dirname, "..", "..");
const LIMITS: Limits = { store: "workers-kv", maxProbes: 5 };
const CORES: [name: string, instantiate: () => Engine][] = [
  ["WebAssembly", inWebAssembly],
  ["plain JavaScript", inJavaScript],
];

function configured(instantiate: () => Engine): Engine {
  const engine = instantiate();
  engine.configure(SETTINGS, LIMITS, 0.25);
  return engine;
}

test("both cores give the same answers in a conversation of thousands of steps", () => {
  for (const seed of [1, 2, 3]) {
    const wasm = inWebAssembly();
    const plain = inJavaScript();
    assert.deepEqual(wasm.settingNames(), plain.settingNames());
    assert.deepEqual(
      wasm.configure(SETTINGS, LIMITS, seed / 10),
      plain.configure(SETTINGS, LIMITS, seed / 10),
    );
    const tags = new Set<string>();
    const plainSays = converse(plain, seed, 4_000);
    let steps = 0;
    for (const said of converse(wasm, seed, 4_000)) {
      assert.deepEqual(
        plainSays.next(),
        { done: false, value: said },
        `seed ${seed}, step ${steps}`,
      );
      if (typeof said === "object" && said !== null && "action" in said) {
        tags.add((said.action as { tag: string }).tag);
      }
      steps += 1;
    }
    assert.equal(plainSays.next().done, true);
    // It must have covered something.
    assert.ok(steps > 10_000, `${steps} steps`);
    assert.deepEqual([...tags].sort(), [
      "await-round",
      "cancel",
      "read-store",
      "relay",
      "reply",
      "send",
      "wait",
    ]);
  }
});

for (const [name, instantiate] of CORES) {
  describe(`the engine in ${name}`, () => {
    test("says what the host's part of the work needs", () => {
      const engine = instantiate();
      const configuration = engine.configure(
        [
          [
            "FETCH_TARGETS",
            '["https://A.example:443/", {"url": "http://b.example:8080/base/", "tier": 2, "weight": 3}]',
          ],
          ["FETCH_HEALTH_PATH", "/up?x=é"],
          ["FETCH_HEALTH_PATH", "ignored: the first one counts"],
          ["FETCH_REPLAY_BODY_BYTES", "1"],
        ],
        { store: "edge-kv", maxProbes: 3 },
        0.5,
      );
      assert.deepEqual(configuration.targets[1], {
        origin: "http://b.example:8080",
        basePath: "/base",
        healthUrl: "http://b.example:8080/base/",
        tier: 2,
        weight: 3,
      });
      assert.equal(configuration.targets[0]?.tier, 1);
      assert.equal(configuration.reportFromStatus, 500);
      assert.equal(configuration.targets[0]?.origin, "https://a.example");
      assert.equal(configuration.cacheKey, "proxy_3Afastest");
      assert.equal(configuration.replayBodyBytes, 1);
      assert.equal(configuration.via, "1.1 function-fetch");
      const { version } = JSON.parse(readFileSync(join(PACKAGE, "package.json"), "utf8"));
      assert.equal(configuration.userAgent, `function-fetch/${version}`);
      assert.ok(configuration.hopByHop.includes("transfer-encoding"));
      assert.deepEqual(engine.takeNotices(1e12), [], "the store may know of them");
      const { state } = engine.begin("GET", "", 0, false, 1e12);
      engine.settle(state, { tag: "store-read", val: undefined }, 1e12);
      const [notice] = engine.takeNotices(1e12);
      assert.equal(notice?.tag, "bad-setting");
      assert.match(JSON.stringify(notice), /FETCH_HEALTH_PATH/);
    });

    test("says from which status on it must hear of every answer", () => {
      const engine = instantiate();
      const settings: [string, string][] = [["FETCH_RETRY_STATUSES", "503, 425-429"]];
      assert.equal(engine.configure(settings, LIMITS, 0.5).reportFromStatus, 425);
    });

    test("asks for at most as many probes as the host can have in flight", () => {
      const engine = configured(instantiate);
      const step = engine.begin("GET", "", 0, false, 1e12);
      assert.equal(step.action.tag, "read-store");
      const cold = engine.settle(step.state, { tag: "store-read", val: undefined }, 1e12);
      assert.equal(cold.round, true);
      assert.equal(engine.startRound(1e12)?.concurrency, 5);
    });

    test("instances are apart", () => {
      const one = configured(instantiate);
      const other = instantiate();
      other.configure([["FETCH_TARGETS", "http://other.example"]], {}, 0);
      const alone = converse(configured(instantiate), 7, 50);
      for (const said of converse(one, 7, 50)) {
        other.begin("GET", "", 0, false, 1e12);
        assert.deepEqual(alone.next().value, said);
      }
    });

    test("before it is configured it says that no target is set", () => {
      const engine = instantiate();
      const { action } = engine.begin("GET", "", 0, false, 0);
      assert.equal(action.tag, "reply");
      assert.equal(action.tag === "reply" && action.val.status, 500);
      assert.match(action.tag === "reply" ? action.val.body : "", /^Missing env: FETCH_TARGETS\n/);
      oddCalls(instantiate(), 11);
    });

    test("odd arguments are harmless", () => {
      for (const seed of [1, 2]) oddCalls(configured(instantiate), seed);
    });
  });
}

/** Each call with invalid arguments, many times, and then a valid one. */
function oddCalls(engine: Engine, seed: number): void {
  const roll = random(seed);
  const numbers = [
    ...[Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, -0, -1, 0.5],
    ...[
      1e308,
      -1e308,
      5e-324,
      2 ** 31,
      2 ** 32 - 1,
      2 ** 32,
      2 ** 53,
      31,
      32,
      33,
      1_800_000_000_000,
    ],
  ];
  const texts = ["", "GET", "\0", "é\ud800", "x".repeat(100_000), '{"v":1', "[[[[", "null"];
  const number = () => numbers[Math.floor(roll() * numbers.length)] ?? roll() * 2 ** 32;
  const text = () => texts[Math.floor(roll() * texts.length)] ?? "";
  const state = (): RequestState => ({
    ...{ began: number(), sent: number(), tried: number(), running: number(), failed: number() },
    bits: roll() * 2 ** 32,
  });
  const optional = () => (roll() < 0.5 ? number() : undefined);
  const target = (): TargetRecord => ({
    ...{ n: number(), fail: number(), latency: optional(), at: optional(), until: optional() },
    lastEjection: roll() < 0.5 ? { ends: number(), length: number() } : undefined,
    live: roll() < 0.5 ? { mean: number(), variance: number() } : undefined,
  });
  const record = (): DecisionRecord => ({
    ...{ hash: text(), version: number(), at: number(), primary: number() },
    ...{ standsInFor: optional(), targets: [target(), target()], told: text() },
  });
  const value = (): Stored | undefined => {
    if (roll() < 0.3) return { tag: "record", val: record() };
    return roll() < 0.5 ? { tag: "text", val: text() } : undefined;
  };
  const settings = () => engine.settingNames().map((name): [string, string] => [name, text()]);
  const events = [
    () => ({ tag: "store-read", val: value() }) as const,
    () => ({ tag: "store-failed" }) as const,
    () => ({ tag: "round-ready" }) as const,
    () =>
      ({
        tag: "response",
        val: {
          ...{ target: number(), status: number(), retryAfter: text(), ttfb: number() },
          replay: "consumed",
        },
      }) as const,
    () =>
      ({
        tag: "failed",
        val: { target: number(), failure: "attempt-timeout", replay: "unsent" },
      }) as const,
    (): Event => ({ tag: "timer", val: [{ target: number(), time: number() }] }),
  ];
  const event = () => events[Math.floor(roll() * events.length)]?.() ?? { tag: "round-ready" };
  const calls: (() => unknown)[] = [
    () => engine.begin(text(), text(), number(), roll() < 0.5, number()),
    () => engine.settle(state(), event(), number()),
    () => engine.explain(state(), number()),
    () => engine.startRound(number()),
    () => engine.roundReadStore(value(), number()),
    () => {
      const val = { status: number(), age: text(), xCache: text(), cfCacheStatus: text() };
      engine.probed(number(), number(), { tag: "response", val }, number(), number());
    },
    () =>
      engine.probed(number(), number(), { tag: "failed", val: "dns-error" }, number(), number()),
    () => engine.finishRound(number(), number()),
    () => engine.roundIsReady(number()),
    () => engine.takeWrite(number()),
    () => engine.storeWritten(roll() < 0.5),
    () => engine.takeNotices(number()),
  ];
  for (let turn = 0; turn < 20_000; turn += 1) calls[Math.floor(roll() * calls.length)]?.();
  for (let turn = 0; turn < 50; turn += 1) {
    engine.configure(settings(), { maxProbes: number() }, number());
    for (const call of calls) call();
  }
  engine.configure(SETTINGS, LIMITS, 0.25);
  assert.equal(engine.begin("GET", "", 0, false, 1_800_000_000_000).action.tag, "read-store");
}

test("an engine does not grow over a long life", { timeout: 60_000 }, () => {
  const module = new WebAssembly.Module(
    readFileSync(join(PACKAGE, "generated", "engine.core.wasm")),
  );
  for (const core of [new WebAssembly.Instance(module), instantiateCore()]) {
    const { engine } = link(
      () => module,
      {},
      () => core,
    );
    const memory = core.exports.memory as WebAssembly.Memory;
    const bytes = () => memory.buffer.byteLength;
    engine.configure(SETTINGS, LIMITS, 0.25);
    const live = (seed: number) => {
      for (const _ of converse(engine, seed, 4_000));
    };
    live(1);
    // What it keeps between requests is bounded, so that its memory has its final size
    // by now.
    const before = bytes();
    assert.ok(before > 0);
    for (const seed of [2, 3, 4, 5]) live(seed);
    assert.equal(bytes(), before);
  }
});

describe("what is generated", () => {
  const generated = (name: string) => readFileSync(join(PACKAGE, "generated", name));

  test("the WebAssembly module asks its host for nothing", () => {
    const module = new WebAssembly.Module(generated("engine.core.wasm"));
    assert.deepEqual(WebAssembly.Module.imports(module), []);
  });

  test("no 64-bit integer goes between the glue and a core", () => {
    assert.doesNotMatch(generated("engine.js").toString(), /BigInt/);
  });

  test("the plain core does not mention WebAssembly", () => {
    assert.doesNotMatch(generated("engine.core.js").toString(), /WebAssembly/);
  });

  test("the plain core runs where there is no WebAssembly", () => {
    const script = `
      delete globalThis.WebAssembly;
      const { instantiate } = await import("./src/engine/pure.ts");
      const { action } = instantiate().begin("GET", "", 0, false, Date.now());
      process.stdout.write(action.val.body);
    `;
    const said = execFileSync(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", script],
      { cwd: PACKAGE, encoding: "utf8" },
    );
    assert.match(said, /^Missing env: FETCH_TARGETS\n/);
  });

  test("its types hold under the strictest rules, without those of any platform", () => {
    // Inside the package, so that the compiler finds the files where its users do.
    const folder = mkdtempSync(join(PACKAGE, ".types-"));
    after(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "use.ts");
    writeFileSync(
      file,
      `import type { Engine, RequestState, Step } from "../src/engine/interface.js";
       export function first(engine: Engine): Step { return engine.begin("GET", "", 0, false, 0); }
       export const state: RequestState = { began: 0, sent: 0, tried: 0, running: 0, failed: 0, bits: 0 };
       // @ts-expect-error: a misspelt action must not pass, or nothing here is checked.
       export const wrong = (step: Step) => step.action.tag === "sends";
      `,
    );
    const rules = ["--strict", "--exactOptionalPropertyTypes", "--noUncheckedIndexedAccess"];
    execFileSync(
      process.execPath,
      [
        join(PACKAGE, "node_modules/typescript/bin/tsc"),
        ...["--ignoreConfig", "--noEmit", "--module", "nodenext", "--target", "es2023"],
        ...["--lib", "es2023,dom", "--types", "", ...rules, file],
      ],
      { cwd: PACKAGE, stdio: ["ignore", "inherit", "inherit"] },
    );
  });
});
