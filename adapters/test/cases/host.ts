/** What a JavaScript host brings to the table of cases. */

import type { Field } from "../support/fields.js";

export type Settings = ReadonlyMap<string, string>;

/** An entry of the store. */
export interface Entry {
  readonly key: string;
  readonly value: string;
}

export interface CaseHost {
  /** As the table's `except` knows it. */
  readonly name: string;
  /** The kind of its store, as the engine names it. */
  readonly store: "workers-kv" | "edge-kv" | "custom";
  /** The client's address, as its proxy learns it. */
  readonly client: string;
  /** How many cases may run at once. */
  readonly atOnce: number;
  /** The same of cases that hang on what is measured: where each starts a process, one. */
  readonly measuredAtOnce: number;
  /** What the platform adds to a client's request before the proxy sees it. */
  readonly added: readonly Field[];
  /** The host and port under which its proxy reaches a port of 127.0.0.1. */
  authority(port: number): string;
  /** Starts a proxy that has served nothing yet, and whose store holds nothing else. */
  start(settings: Settings, entry: Entry | undefined): Promise<RunningProxy>;
}

export interface RunningProxy {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** What it told the operator so far. */
  readonly said: readonly string[];
  /** What its store holds under a key. */
  read(key: string): Promise<string | undefined>;
  stop(): Promise<void>;
}
