/**
 * Starts proxies for the runner of the cases, `tests/e2e/cases`. It sends a line of JSON on stdin, and gets a line on
 * stdout; a proxy has one question at a time. When stdin ends, so does everything that was started.
 */

import { createInterface } from "node:readline";

export type Strings = Readonly<Record<string, string>>;

/** A proxy that has served nothing yet, and whose store holds `entries` and nothing else. */
export type Start = (settings: Strings, entries: Strings) => Promise<RunningProxy>;

export interface RunningProxy {
  /** Of 127.0.0.1. */
  readonly port: number;
  /** Its notices for the operator so far. */
  readonly said: readonly string[];
  /** The content of its store under a key. */
  read(key: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** About the proxy with this number, which the runner assigns. */
type Question = { readonly proxy: number } & (
  | { readonly does: "start"; readonly settings: Strings; readonly entries: Strings }
  | { readonly does: "read"; readonly key: string }
  | { readonly does: "stop" }
);

type Answer =
  | { readonly url: string }
  | { readonly value: string | null }
  | { readonly said: readonly string[] };

export async function serve(start: Start): Promise<never> {
  const proxies = new Map<number, RunningProxy>();

  const answer = async (question: Question): Promise<Answer> => {
    if (question.does === "start") {
      const proxy = await start(question.settings, question.entries);
      proxies.set(question.proxy, proxy);
      return { url: `http://127.0.0.1:${proxy.port}` };
    }
    const proxy = proxies.get(question.proxy);
    if (proxy === undefined) throw new Error(`there is no proxy ${question.proxy}`);
    if (question.does === "read") return { value: (await proxy.read(question.key)) ?? null };
    proxies.delete(question.proxy);
    await proxy.stop();
    return { said: proxy.said };
  };

  const reply = async (question: Question): Promise<void> => {
    const answered = await answer(question).catch((error: Error) => ({ failed: error.message }));
    process.stdout.write(`${JSON.stringify({ proxy: question.proxy, ...answered })}\n`);
  };

  for await (const line of createInterface({ input: process.stdin })) void reply(JSON.parse(line));
  await Promise.allSettled(Array.from(proxies.values(), (proxy) => proxy.stop()));
  process.exit();
}
