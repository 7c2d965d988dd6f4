// The page: loads the simulator, lets time pass, and does what the buttons say.

import { LIFETIMES, read, readSeed, write } from "./link.js";
import { TICKS_PER_SECOND } from "./presets.js";
import { Run } from "./run.js";
import { load } from "./simulation.js";
import { byId, policyBoxes, presetButtons, presetWord, View } from "./view.js";
import { languageOf, sayer } from "./words.js";

/**
 * @import { Link } from "./link.js"
 * @import { Simulation } from "./run.js"
 * @import { Say } from "./words.js"
 */

/** What the page begins with, so that there is something to see: before the troubles of the presets. */
const PRELUDE_TICKS = 20 * TICKS_PER_SECOND;

/** How long one frame may work, ms: a slow machine gets less speed, and no page that hangs. */
const WORK_MS = 12;

/** Between two frames never passes more than this, ms, whatever the page has slept. */
const LONGEST_FRAME_MS = 250;

/** A link is written once a person has stopped dragging, ms: browsers refuse a page that does so all the time. */
const WRITE_LINK_AFTER_MS = 400;

class Page {
  /** @param {Simulation} simulation */
  constructor(simulation) {
    this.simulation = simulation;
    this.known = simulation.policies();
    this.isPlaying = !matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.owedTicks = 0;
    this.last = performance.now();
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.writing = undefined;
    policyBoxes(this.known);
    presetButtons((preset) => this.restart({ preset, changes: [] }));
    const { bad, ...link } = read(location.hash, this.known);
    this.scene = this.start(link);
    if (bad.length > 0) message(this.scene.say("badLink", { parts: bad.join(", ") }));
    this.listen();
    requestAnimationFrame((now) => this.frame(now));
  }

  /**
   * A run from its beginning, and the elements that show it.
   * @param {Link} link
   */
  start(link) {
    const run = new Run(this.simulation, link);
    for (let tick = 0; tick < PRELUDE_TICKS; tick += 1) run.step();
    this.owedTicks = 0;
    return this.show(run);
  }

  /**
   * The elements that show a run, in the language of its link.
   * @param {Run} run
   */
  show(run) {
    const language = languageOf(run.link.language, navigator.languages);
    const say = sayer(language);
    document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
    document.title = say("title");
    const view = new View(run, language, say, (change) => {
      run.change(change);
      view.update();
      this.writeLinkSoon();
    });
    showPlaying(this.isPlaying, say);
    return { language, say, run, view };
  }

  /** @param {Partial<Link>} changes to the link */
  restart(changes) {
    this.scene = this.start({ ...this.scene.run.link, ...changes });
    this.writeLink();
    const { say, run } = this.scene;
    message(say("restarted", { preset: say(presetWord(run.link.preset)) }));
  }

  listen() {
    byId("play").addEventListener("click", () => {
      this.isPlaying = !this.isPlaying;
      showPlaying(this.isPlaying, this.scene.say);
    });
    byId("step").addEventListener("click", () => {
      const { run, view } = this.scene;
      for (let tick = 0; tick < 10 * TICKS_PER_SECOND; tick += 1) run.step();
      view.update();
    });
    byId("restart").addEventListener("click", () => this.restart({ changes: [] }));
    byId("copy").addEventListener("click", () => this.copy());
    byId("language").addEventListener("click", () => {
      const { run, language } = this.scene;
      run.link.language = language === "zh" ? "en" : "zh";
      this.scene = this.show(run);
      this.writeLink();
      message("");
    });
    const seed = /** @type {HTMLInputElement} */ (byId("seed"));
    seed.addEventListener("change", () => {
      const number = readSeed(seed.value);
      seed.setAttribute("aria-invalid", String(number === undefined));
      if (number === undefined) message(this.scene.say("badSeed"));
      else this.restart({ seed: number, changes: [] });
    });
    const instances = /** @type {HTMLSelectElement} */ (byId("instances"));
    instances.addEventListener("change", () => {
      const lifetime = LIFETIMES.find((known) => known === instances.value);
      this.restart({ instances: lifetime ?? LIFETIMES[0] });
    });
    byId("choice").addEventListener("change", () => {
      const boxes = byId("choice").querySelectorAll("input:checked");
      const policies = [...boxes].map((box) => /** @type {HTMLInputElement} */ (box).value);
      this.restart({ policies: policies.length > 0 ? policies : this.known.slice(0, 1) });
    });
    // Another link was followed; those that the page writes itself do not come here.
    addEventListener("hashchange", () => {
      const { bad, ...link } = read(location.hash, this.known);
      this.scene = this.start(link);
      message(bad.length > 0 ? this.scene.say("badLink", { parts: bad.join(", ") }) : "");
    });
    const redraw = () => this.scene.view.draw();
    addEventListener("resize", redraw);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  /** @param {number} now */
  frame(now) {
    const passed = Math.min(now - this.last, LONGEST_FRAME_MS);
    this.last = now;
    if (this.isPlaying) {
      const { run, view } = this.scene;
      const speed = Number(/** @type {HTMLSelectElement} */ (byId("speed")).value);
      this.owedTicks += (passed / 1_000) * TICKS_PER_SECOND * speed;
      const until = performance.now() + WORK_MS;
      while (this.owedTicks >= 1 && performance.now() < until) {
        run.step();
        this.owedTicks -= 1;
      }
      // What cannot be done in time is not made up for.
      this.owedTicks %= 1;
      view.update();
    }
    requestAnimationFrame((next) => this.frame(next));
  }

  writeLinkSoon() {
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.writeLink(), WRITE_LINK_AFTER_MS);
  }

  writeLink() {
    clearTimeout(this.writing);
    history.replaceState(null, "", write(this.scene.run.link));
  }

  async copy() {
    const { say } = this.scene;
    this.writeLink();
    try {
      await navigator.clipboard.writeText(location.href);
      message(say("copied"));
    } catch {
      message(say("notCopied"));
    }
  }
}

/** @type {(isPlaying: boolean, say: Say) => void} */
function showPlaying(isPlaying, say) {
  byId("play").textContent = say(isPlaying ? "pause" : "play");
}

/** @param {string} text */
function message(text) {
  byId("message").textContent = text;
}

const say = sayer(languageOf(undefined, navigator.languages));
message(say("loading"));
try {
  const simulation = await load();
  message("");
  byId("playground").hidden = false;
  new Page(simulation);
} catch (error) {
  message(say("failed", { reason: error instanceof Error ? error.message : String(error) }));
  throw error;
}
