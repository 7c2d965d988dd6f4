/** What a handler tells its operator, and how: options that all handlers have in common. */

import { type Stats, statsLine } from "./driver/stats.js";
import type { Event } from "./event.js";

export interface ReportingOptions {
  /** Gets the notices, one line of JSON each. By default they go to stderr. */
  readonly log?: ((line: string) => void) | undefined;
  /** Gets each notice as an object. Without `log` the lines are then not written. */
  readonly onEvent?: ((event: Event) => void) | undefined;
  /**
   * Gets the counts for monitoring, every `FETCH_STATS_SECONDS` in which there was
   * something to count (10 unless it is set). Without it they go the way of the notices,
   * as lines, if the setting is set.
   */
  readonly onStats?: ((stats: Stats) => void) | undefined;
}

/** Where notices and counts go. */
export interface Reporting {
  readonly notice: (line: string) => void;
  readonly stats: (stats: Stats) => void;
}

/** `usual`: where lines go that no option takes. */
export function reportingOf(options: ReportingOptions, usual: (line: string) => void): Reporting {
  const { log, onEvent, onStats } = options;
  const lines = log ?? (onEvent === undefined ? usual : undefined);
  const notice = (line: string) => {
    lines?.(line);
    onEvent?.(JSON.parse(line) as Event);
  };
  return { notice, stats: onStats ?? ((stats) => notice(statsLine(stats))) };
}

const STATS = "FETCH_STATS_SECONDS";

/** How often `onStats` is called unless the setting says so, s. */
const STATS_SECONDS = "10";

/** Adds to the settings what the options mean for them. */
export function withStats(
  settings: [name: string, value: string][],
  { onStats }: ReportingOptions,
): [name: string, value: string][] {
  if (onStats === undefined || settings.some(([name]) => name === STATS)) return settings;
  return [...settings, [STATS, STATS_SECONDS]];
}
