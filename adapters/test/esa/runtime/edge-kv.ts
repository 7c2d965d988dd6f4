/** EdgeKV, as strict as its documentation. */

import type { Invocations } from "./invocations.js";
import type { KvBehaviour, KvSetup } from "./protocol.js";

const KEY = /^[A-Za-z0-9_-]{1,512}$/;
const LONGEST_VALUE = 1_800_000;
const TYPES = ["text", "json", "stream", "arrayBuffer"];

/** All namespaces of an account: one, or none. */
export class Account {
  gets = 0;
  puts = 0;
  behaviour: KvBehaviour;
  readonly entries: Map<string, string>;
  private readonly namespace: string | undefined;

  constructor(
    setup: KvSetup | undefined,
    private readonly invocations: Invocations,
  ) {
    this.namespace = setup?.namespace;
    this.behaviour = setup?.behaviour ?? "sound";
    this.entries = new Map(Object.entries(setup?.entries ?? {}));
  }

  /** The class that the runtime has as a global. */
  edgeKv() {
    const account = this;
    return class EdgeKV {
      private readonly namespace: string;

      constructor(options: unknown) {
        const { namespace } = Object(options) as { namespace?: unknown };
        if (typeof namespace !== "string" || namespace === "") {
          throw new TypeError("EdgeKV: the options must have a namespace");
        }
        account.invocations.usable("EdgeKV");
        this.namespace = namespace;
      }

      async get(key: unknown, options: unknown = { type: "stream" }): Promise<unknown> {
        const { type } = Object(options) as { type?: unknown };
        if (typeof type !== "string" || !TYPES.includes(type)) {
          throw new TypeError(`EdgeKV.get: there is no type ${String(type)}`);
        }
        account.gets += 1;
        account.insist(this.namespace, key);
        await account.behave();
        const value =
          account.behaviour === "garbage" ? GARBAGE : account.entries.get(key as string);
        if (value === undefined || type === "text") return value;
        if (type === "json") return JSON.parse(value);
        const response = new Response(value);
        return type === "stream" ? response.body : response.arrayBuffer();
      }

      async put(key: unknown, value: unknown): Promise<void> {
        account.puts += 1;
        account.insist(this.namespace, key);
        if (typeof value !== "string") throw new TypeError("EdgeKV.put: the value is no string");
        if (Buffer.byteLength(value) > LONGEST_VALUE) throw new TypeError("EdgeKV.put: too long");
        await account.behave();
        account.entries.set(key as string, value);
      }
    };
  }

  private insist(namespace: string, key: unknown): void {
    this.invocations.usable("EdgeKV");
    if (namespace !== this.namespace) {
      throw this.invocations.refuse(`EdgeKV: there is no namespace ${namespace}`);
    }
    if (typeof key !== "string" || !KEY.test(key)) {
      throw this.invocations.refuse(`EdgeKV: not a legal key: ${String(key)}`);
    }
  }

  private async behave(): Promise<void> {
    if (this.behaviour === "rejects") throw new Error("EdgeKV: internal error");
    if (this.behaviour === "hangs") await new Promise(() => {});
    // Never synchronously.
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const GARBAGE = '{"v":1,"at":"yesterday","targets":[[[';
