/**
 * The counts of a Node.js handler as metrics, with the classes of prom-client:
 *
 *     import { Counter, Gauge } from "prom-client";
 *     createNodeHandler({ onStats: counting({ Counter, Gauge }) });
 *
 * and `register.metrics()` of prom-client behind a path of yours.
 */

import type { Stats } from "function-fetch/node";

/** What is used of prom-client. */
export interface PromClient {
  Counter: new (about: About) => { inc(labels: Labels, by: number): void };
  Gauge: new (about: About) => { set(labels: Labels, value: number): void };
}

interface About {
  name: string;
  help: string;
  labelNames: string[];
}

type Labels = Record<string, string>;

const OF_TARGETS = {
  attempts: "Requests that were sent to a target.",
  retries: "Attempts after another one had failed.",
  hedges: "Attempts beside another one.",
  ejections: "How often a target was ejected.",
} as const;

/** Returns what `onStats` gets: it adds the counts up. */
export function counting({ Counter, Gauge }: PromClient): (stats: Stats) => void {
  const labelNames = ["target"];
  const counters = Object.entries(OF_TARGETS).map(([count, help]) => {
    const name = `function_fetch_${count}_total`;
    return [count as keyof typeof OF_TARGETS, new Counter({ name, help, labelNames })] as const;
  });
  const healthy = new Gauge({
    name: "function_fetch_target_healthy",
    help: "Whether a target gets its requests.",
    labelNames,
  });
  const answers = new Counter({
    name: "function_fetch_answers_total",
    help: "How attempts ended, by method and status or error.",
    labelNames: ["target", "method", "outcome"],
  });
  return (stats) => {
    for (const { target, ...one } of stats.targets) {
      for (const [count, counter] of counters) counter.inc({ target }, one[count]);
      healthy.set({ target }, one.healthy ? 1 : 0);
      for (const { method, status, error, times } of one.answers) {
        const outcome = String(status ?? error);
        const count = times.counts.reduce((sum, each) => sum + each, 0);
        answers.inc({ target, method, outcome }, count);
      }
    }
  };
}
