// The charts of a policy: who gets its requests, and how long they take.

import { COLUMNS, sum } from "./run.js";

/** @import { Column } from "./run.js" */

/** The latency's scale, ms: logarithmic, a line for each power of ten. */
const LEAST_MS = 10;
const MOST_MS = 10_000;
const LINES = [
  { ms: 10, text: "10 ms" },
  { ms: 100, text: "100 ms" },
  { ms: 1_000, text: "1 s" },
  { ms: 10_000, text: "10 s" },
];

/** The height of the scale's labels, each above its line, px. */
const LABEL = 11;

/**
 * The colours, which the style sheet has for light and dark.
 * @typedef {{ targets: string[], empty: string, line: string, text: string, p50: string, p99: string }} Colours
 * @returns {Colours}
 */
export function colours() {
  const style = getComputedStyle(document.documentElement);
  const value = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  return {
    targets: [0, 1, 2, 3, 4].map((target) => value(`--target-${target}`)),
    empty: value("--empty"),
    line: value("--line"),
    text: value("--quiet"),
    p50: value("--p50"),
    p99: value("--p99"),
  };
}

/**
 * Each second's requests as a column, by target.
 * @param {HTMLCanvasElement} canvas
 * @param {readonly Column[]} columns
 * @param {Colours} colours
 */
export function drawShares(canvas, columns, colours) {
  const { context, width, height } = clear(canvas);
  context.fillStyle = colours.empty;
  context.fillRect(0, 0, width, height);
  const step = width / COLUMNS;
  columns.forEach(({ sent }, index) => {
    const x = Math.round((COLUMNS - columns.length + index) * step);
    const next = Math.round((COLUMNS - columns.length + index + 1) * step);
    const all = sum(sent);
    let below = 0;
    sent.forEach((count, target) => {
      if (count === 0) return;
      const top = height * (1 - (below + count) / all);
      context.fillStyle = colours.targets[target] ?? colours.text;
      context.fillRect(x, top, next - x, (height * count) / all);
      below += count;
    });
  });
}

/**
 * The median and the 99th percentile as lines.
 * @param {HTMLCanvasElement} canvas
 * @param {readonly Column[]} columns
 * @param {Colours} colours
 */
export function drawLatencies(canvas, columns, colours) {
  const { context, width, height } = clear(canvas);
  const span = Math.log(MOST_MS / LEAST_MS);
  const y = (/** @type {number} */ ms) => {
    const share = Math.log(Math.min(Math.max(ms, LEAST_MS), MOST_MS) / LEAST_MS) / span;
    return LABEL + (height - LABEL - 2) * (1 - share);
  };
  context.lineWidth = 1;
  context.strokeStyle = colours.line;
  context.fillStyle = colours.text;
  context.font = `${LABEL}px system-ui, sans-serif`;
  for (const { ms, text } of LINES) {
    const at = Math.round(y(ms)) + 0.5;
    context.beginPath();
    context.moveTo(0, at);
    context.lineTo(width, at);
    context.stroke();
    context.fillText(text, 2, at - 3);
  }
  const draw = (/** @type {"p50Ms" | "p99Ms"} */ which, /** @type {string} */ colour) => {
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineJoin = "round";
    context.beginPath();
    let isDown = false;
    columns.forEach((column, index) => {
      const ms = column[which];
      const x = ((COLUMNS - columns.length + index + 0.5) * width) / COLUMNS;
      // Nothing has ended for ten seconds: there is no latency, and no line.
      if (ms !== undefined) context[isDown ? "lineTo" : "moveTo"](x, y(ms));
      isDown = ms !== undefined;
    });
    context.stroke();
  };
  draw("p50Ms", colours.p50);
  draw("p99Ms", colours.p99);
}

/** @param {HTMLCanvasElement} canvas */
function clear(canvas) {
  const ratio = window.devicePixelRatio;
  const { clientWidth: width, clientHeight: height } = canvas;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.scale(ratio, ratio);
  return { context, width, height };
}
