/** The upstreams of a case, by name. */

import { Origin } from "../support/origin.js";
import type { Plan, ProbesRule } from "./format.js";
import type { CaseHost } from "./host.js";
import type { Differences } from "./matching.js";

export class Upstreams {
  /** A request for this path, on whatever base path, is a probe. */
  healthPath = "/";
  readonly authorities = new Map<string, string>();
  private readonly origins = new Map<string, Origin>();

  static async start(names: readonly string[], host: CaseHost): Promise<Upstreams> {
    const upstreams = new Upstreams();
    // In the order of their names, which is the order of targets where a case gives none.
    for (const name of [...names].sort()) {
      const isProbe = ({ url }: { url?: string | undefined }) =>
        url?.endsWith(upstreams.healthPath) === true;
      const origin = await Origin.start({ name, isProbe });
      upstreams.origins.set(name, origin);
      upstreams.authorities.set(name, host.authority(origin.port));
    }
    return upstreams;
  }

  get(name: string): Origin {
    const origin = this.origins.get(name);
    if (origin === undefined) throw new Error(`there is no upstream ${name}`);
    return origin;
  }

  async behave(behaviours: Plan["upstreams"]): Promise<void> {
    for (const [name, behaviour] of behaviours) await this.get(name).behave(behaviour);
  }

  /** What each sees from now on. */
  mark(): () => Map<string, Origin["seen"]> {
    const before = new Map(Array.from(this.origins, ([name, { seen }]) => [name, seen.length]));
    return () =>
      new Map(Array.from(this.origins, ([name, { seen }]) => [name, seen.slice(before.get(name))]));
  }

  probeDifferences(rules: ReadonlyMap<string, ProbesRule>): Differences {
    return [...rules].flatMap(([name, { count, atLeast }]) => {
      const { length } = this.get(name).probes;
      if (atLeast ? length >= count : length === count) return [];
      return [`${name} was probed ${length} times, not ${atLeast ? "at least " : ""}${count}`];
    });
  }

  async stop(): Promise<void> {
    await Promise.all(Array.from(this.origins.values(), (origin) => origin.close()));
  }
}
