/** The messages between the tests and the runtime's process: lines of JSON. */

/** How EdgeKV behaves: correctly, or with an error, never replying, with wrong values. */
export type KvBehaviour = "sound" | "rejects" | "hangs" | "garbage";

export interface KvSetup {
  /** The one namespace that exists. */
  readonly namespace: string;
  readonly entries?: Readonly<Record<string, string>>;
  readonly behaviour?: KvBehaviour;
}

export interface Setup {
  /** The routine, one file. */
  readonly file: string;
  /** The variables. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * What the routine is called with besides the request: production's order,
   * the web's, or nothing.
   */
  readonly hands: "context-env" | "env-context" | "nothing";
  readonly kv?: KvSetup | undefined;
  /** By name, or by name and port: the port of 127.0.0.1 behind it. `localhost` is itself. */
  readonly names: Readonly<Record<string, number>>;
  /** What `fetch` does when it cannot connect: the local runtime's way, or production's. */
  readonly unreachable: "throws" | "status";
  /** Globals that the runtime lacks, besides `WebAssembly`. */
  readonly without: readonly string[];
}

export interface Report {
  /** The most subrequests that one request had under way at a time. */
  readonly most: number;
  /** Subrequests that were refused, by reason. */
  readonly refused: readonly string[];
  readonly kv: {
    readonly gets: number;
    readonly puts: number;
    readonly entries: Readonly<Record<string, string>>;
  };
}

/** To the runtime. */
export type Question = { readonly id: number } & (
  | { readonly ask: "report" }
  | { readonly ask: "kv"; readonly behaviour: KvBehaviour }
);

/** From the runtime. */
export type Line =
  | { readonly port: number }
  | { readonly said: string }
  | { readonly id: number; readonly report: Report };
