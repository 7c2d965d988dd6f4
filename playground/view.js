// The page's elements: made once for each start, and brought up to date while time passes.

import { colours, drawLatencies, drawShares } from "./charts.js";
import { FARTHEST_MS, NEAREST_MS } from "./link.js";
import { FAULTS, PRESETS, TARGETS, TICKS_PER_SECOND } from "./presets.js";
import { whose, words } from "./report.js";
import { sum } from "./run.js";
import { isWord } from "./words.js";

/**
 * @import { Change, Fault } from "./presets.js"
 * @import { Run } from "./run.js"
 * @import { Say, Language } from "./words.js"
 * @typedef {{ shares: HTMLCanvasElement, latencies: HTMLCanvasElement, figures: Record<string, HTMLElement>,
 *   errors: HTMLElement, requests: HTMLElement }} PolicyView
 * @typedef {{ range: HTMLInputElement, ms: HTMLOutputElement, fault: HTMLSelectElement }} TargetView
 */

/** A share below this is not worth a word. */
const LEAST_SHARE = 0.005;

export class View {
  /**
   * @param {Run} run
   * @param {Language} language
   * @param {Say} say
   * @param {(change: Omit<Change, "tick">) => void} change
   */
  constructor(run, language, say, change) {
    this.run = run;
    this.say = say;
    this.second = -1;
    this.whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
    this.fine = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
    this.percent = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
    this.share = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 });
    this.list = new Intl.ListFormat(language);
    for (const place of document.querySelectorAll("[data-word]")) {
      const word = /** @type {HTMLElement} */ (place).dataset.word ?? "";
      if (isWord(word)) place.textContent = say(word);
    }
    this.presets();
    this.world();
    this.targets = TARGETS.map((name, target) => this.target(name, target, change));
    byId("targets").replaceChildren(...this.targets.map(({ item }) => item));
    const policies = run.link.policies.map((name) => this.policy(name));
    byId("policies").replaceChildren(...policies.map(({ article }) => article));
    this.policies = policies.map(({ view }) => view);
    this.choice();
    /** @type {HTMLInputElement} */ (byId("seed")).value = String(run.link.seed);
    /** @type {HTMLSelectElement} */ (byId("instances")).value = run.link.instances;
    this.update();
  }

  /** Shows what is, where it has changed. */
  update() {
    const { run } = this;
    byId("time").textContent = clock(run.tick / TICKS_PER_SECOND);
    run.conditions.forEach(({ ms, fault }, target) => {
      const view = this.targets[target];
      if (view === undefined) return;
      if (view.range.value !== String(ms)) view.range.value = String(ms);
      if (view.fault.value !== fault) view.fault.value = fault;
      const text = this.say("ms", { ms: this.whole.format(ms) });
      if (view.ms.textContent !== text) {
        view.ms.textContent = text;
        view.range.setAttribute("aria-valuetext", text);
      }
      view.item.classList.toggle("faulty", fault !== "none");
    });
    const second = Math.floor(run.tick / TICKS_PER_SECOND);
    if (second !== this.second) {
      this.second = second;
      this.draw();
      this.tell();
    }
  }

  /** Draws the charts, and writes the figures. */
  draw() {
    const { run, say } = this;
    const palette = colours();
    this.policies.forEach((view, policy) => {
      const columns = run.columns[policy] ?? [];
      drawShares(view.shares, columns, palette);
      drawLatencies(view.latencies, columns, palette);
      const sample = run.lately(policy);
      const failed = sample.failed / Math.max(1, sample.requests);
      /** @type {Record<string, string>} */
      const texts = {
        p50: this.time(sample.p50Ms),
        p99: this.time(sample.p99Ms),
        errors: this.percent.format(failed),
        waiting: this.whole.format(sample.waiting),
        probes: this.whole.format(run.probes(policy)),
      };
      for (const [name, text] of Object.entries(texts)) {
        const place = view.figures[name];
        if (place !== undefined) place.textContent = text;
      }
      view.errors.classList.toggle("bad", sample.failed > 0);
      const sent = sum(sample.sent);
      const shares = TARGETS.map((name, target) => ({
        name,
        share: (sample.sent[target] ?? 0) / Math.max(1, sent),
      }));
      const named = shares.filter(({ share }) => share >= LEAST_SHARE);
      const words = named.map(({ name, share }) => `${name} ${this.share.format(share)}`);
      view.requests.textContent = words.join(" · ") || say("nobody");
    });
  }

  presets() {
    const { say, run } = this;
    for (const button of byId("presets").children) {
      const { preset = "" } = /** @type {HTMLElement} */ (button).dataset;
      button.textContent = say(presetWord(preset));
      button.setAttribute("aria-pressed", String(preset === run.link.preset));
    }
    byId("preset-about").textContent = say(aboutWord(presetWord(run.link.preset)));
  }

  world() {
    const { say, run } = this;
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const region of run.drawn.locations) {
      const name = say(`region.${region}`);
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const regions = this.list.format([...counts].map(([name, count]) => `${name} ${count}`));
    byId("world").textContent = say("world", { regions });
  }

  /**
   * @param {string} name
   * @param {number} target
   * @param {(change: Omit<Change, "tick">) => void} change
   */
  target(name, target, change) {
    const { say, run } = this;
    const range = make("input", { type: "range", step: "5" });
    range.min = String(NEAREST_MS);
    range.max = String(FARTHEST_MS);
    range.setAttribute("aria-label", say("latency", { target: name }));
    range.addEventListener("input", () => change({ target, ms: range.valueAsNumber }));
    const fault = make("select", {});
    fault.setAttribute("aria-label", say("fault", { target: name }));
    const region = say(`region.${run.drawn.badRegion}`);
    for (const value of FAULTS) {
      fault.append(make("option", { value, textContent: say(`fault.${value}`, { region }) }));
    }
    fault.addEventListener("change", () =>
      change({ target, fault: /** @type {Fault} */ (fault.value) }),
    );
    const ms = make("output", {});
    const title = make("strong", { textContent: name });
    const item = make("li", { className: `target target-${target}` }, title, range, ms, fault);
    return { item, range, ms, fault };
  }

  /** @param {string} name */
  policy(name) {
    const { say } = this;
    const word = /** @type {"policy.ours"} */ (`policy.${name}`);
    /** @type {Record<string, HTMLElement>} */
    const figures = {};
    const list = make("dl", {});
    for (const figure of /** @type {const} */ (["p50", "p99", "errors", "waiting", "probes"])) {
      const value = make("dd", {});
      value.dataset.figure = figure;
      figures[figure] = value;
      const group = make("div", { className: figure });
      group.append(make("dt", { textContent: say(figure) }), value);
      list.append(group);
    }
    const requests = make("dd", {});
    requests.dataset.figure = "requests";
    const group = make("div", { className: "requests" });
    group.append(make("dt", { textContent: say("share") }), requests);
    list.append(group);
    const chart = (/** @type {string} */ kind, /** @type {string} */ label) => {
      const canvas = make("canvas", { className: kind });
      canvas.setAttribute("role", "img");
      canvas.setAttribute("aria-label", label);
      return canvas;
    };
    const shares = chart("shares", say("shareChart"));
    const latencies = chart("latencies", say("latencyChart"));
    const head = make(
      "div",
      { className: "head" },
      make("h3", { textContent: say(word) }),
      make("p", { textContent: say(aboutWord(word)) }),
    );
    const article = make("article", { className: "policy" }, head, list, shares, latencies);
    article.dataset.policy = name;
    const errors = /** @type {HTMLElement} */ (figures.errors);
    return { article, view: { shares, latencies, figures, errors, requests } };
  }

  choice() {
    const { say, run } = this;
    for (const label of byId("choice").querySelectorAll("label")) {
      const box = /** @type {HTMLInputElement} */ (label.querySelector("input"));
      box.checked = run.link.policies.includes(box.value);
      const word = /** @type {"policy.ours"} */ (`policy.${box.value}`);
      // The box itself stays where it is, and keeps the focus.
      /** @type {HTMLElement} */ (label.querySelector("span")).textContent = say(word);
    }
  }

  /** Lists what was reported, the latest first. */
  tell() {
    const { say, run } = this;
    const items = run.report.entries.map((entry) =>
      make(
        "li",
        {},
        make("time", { textContent: clock(entry.atMs / 1_000) }),
        ` ${words(entry, say)} `,
        make("small", { textContent: whose(entry, run.drawn.locations, say) }),
      ),
    );
    byId("told").replaceChildren(...items.reverse());
  }

  /** @param {number | undefined} ms */
  time(ms) {
    if (ms === undefined) return "–";
    if (ms < 1_000) return this.say("ms", { ms: this.whole.format(ms) });
    return this.say("seconds", { s: this.fine.format(ms / 1_000) });
  }
}

/** The buttons of the presets, whose text a [`View`] writes.
 * @param {(preset: string) => void} choose */
export function presetButtons(choose) {
  const buttons = Object.keys(PRESETS).map((preset) => {
    const button = make("button", { type: "button" });
    button.dataset.preset = preset;
    button.addEventListener("click", () => choose(preset));
    return button;
  });
  byId("presets").replaceChildren(...buttons);
}

/** The boxes of the policies, likewise.
 * @param {readonly string[]} known the names of all policies */
export function policyBoxes(known) {
  const boxes = known.map((name) =>
    make(
      "label",
      { className: "choice" },
      make("input", { type: "checkbox", value: name }),
      " ",
      make("span", {}),
    ),
  );
  byId("choice").append(...boxes);
}

/** @type {(id: string) => HTMLElement} */
export function byId(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Minutes and seconds.
 * @type {(seconds: number) => string} */
function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

/** @type {(preset: string) => "preset.hangs"} */
export function presetWord(preset) {
  return /** @type {"preset.hangs"} */ (`preset.${preset}`);
}

/**
 * @template {"preset.hangs" | "policy.ours"} W
 * @param {W} word
 */
function aboutWord(word) {
  return /** @type {`${W}.about`} */ (`${word}.about`);
}

/**
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Partial<HTMLElementTagNameMap[T]>} properties
 * @param {(Node | string)[]} children
 */
function make(tag, properties, ...children) {
  const element = document.createElement(tag);
  Object.assign(element, properties);
  element.append(...children);
  return element;
}
