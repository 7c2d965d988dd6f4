/** Starts the emulation of ESA's runtime with a routine in it. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bundledOnce } from "../support/bundle.js";
import { commandOf } from "../support/runtimes.js";
import { within } from "../support/waiting.js";
import { built } from "./built.js";
import type { KvBehaviour, Line, Question, Report, Setup } from "./runtime/protocol.js";

/** ESA has a runtime of its own, which is based on Deno. */
export type Runtime = "node" | "deno";

export interface EmulationOptions extends Partial<Setup> {
  readonly runtime: Runtime;
}

/** How long a machine under load may take to start a process, ms. */
const START = 30_000;

export class Emulation {
  private readonly waiting = new Map<number, (report: Report) => void>();
  private asked = 0;

  private constructor(
    private readonly process: ChildProcess,
    readonly port: number,
    /** The routine's notices so far. */
    readonly said: readonly string[],
    lines: AsyncIterator<Line>,
  ) {
    void this.read(lines, said as string[]);
  }

  static async start(options: EmulationOptions): Promise<Emulation> {
    const { runtime, ...given } = options;
    const setup: Setup = {
      file: given.file ?? (await built()),
      env: {},
      hands: "context-env",
      names: {},
      unreachable: "throws",
      without: [],
      ...given,
    };
    const [command, ...words] = commandOf(runtime);
    const main = await runtimeFile();
    const child = spawn(command, [...words, main, JSON.stringify(setup)], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    const said: string[] = [];
    const errors: string[] = [];
    child.stderr.on("data", (text: Buffer) => errors.push(text.toString()));
    const lines = linesOf(child);
    try {
      for (;;) {
        const { value, done } = await within(START, "the runtime starts", lines.next());
        if (done) throw new Error(`the runtime did not start: ${errors.join("")}`);
        if ("said" in value) said.push(value.said);
        if ("port" in value) return new Emulation(child, value.port, said, lines);
      }
    } catch (error) {
      child.kill("SIGKILL");
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  report(): Promise<Report> {
    return this.ask({ ask: "report" });
  }

  /** The content of EdgeKV under a key. */
  async stored(key: string): Promise<string | undefined> {
    return (await this.report()).kv.entries[key];
  }

  /** From now on EdgeKV behaves like this. */
  async kvBehaves(behaviour: KvBehaviour): Promise<void> {
    await this.ask({ ask: "kv", behaviour });
  }

  async close(): Promise<void> {
    const { process: child } = this;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await gone;
  }

  private ask(question: Without<Question, "id">): Promise<Report> {
    this.asked += 1;
    const id = this.asked;
    const answer = new Promise<Report>((resolve) => this.waiting.set(id, resolve));
    this.process.stdin?.write(`${JSON.stringify({ id, ...question })}\n`);
    return within(START, "the runtime answers", answer);
  }

  private async read(lines: AsyncIterator<Line>, said: string[]): Promise<void> {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) return;
      if ("said" in value) said.push(value.said);
      if ("report" in value) {
        this.waiting.get(value.id)?.(value.report);
        this.waiting.delete(value.id);
      }
    }
  }
}

type Without<T, K extends string> = T extends unknown ? Omit<T, K> : never;

/** As functions, for tests that have several. */
export const startEmulation = Emulation.start;

async function* linesOf(child: ChildProcess): AsyncIterator<Line> & AsyncIterable<Line> {
  if (child.stdout === null) return;
  for await (const text of createInterface({ input: child.stdout })) yield JSON.parse(text);
}

/** The runtime, for both. */
const runtimeFile = bundledOnce(fileURLToPath(new URL("runtime/main.ts", import.meta.url)));
