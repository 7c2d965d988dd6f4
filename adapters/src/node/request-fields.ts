/** The client's fields turned into those for the target: names and values alternating, as in Node.js. */

import {
  type ClientFacts,
  type FieldRules,
  joinedCookies,
  namedByConnection,
} from "../driver/headers.js";
import type { Configuration } from "../engine/interface.js";
import { type FieldMap, joined } from "./fields.js";

/** For how many spellings of names the verdict is cached. */
const CACHED = 512;

export class RequestFields {
  /** By the name as written: whether the field is dropped regardless of the rest of the request. */
  private readonly verdicts = new Map<string, boolean>();

  constructor(
    private readonly configuration: Configuration,
    private readonly rules: FieldRules,
  ) {}

  /** `raw` and `byName` are the same fields in two forms. */
  forTarget(raw: readonly string[], byName: FieldMap, client: ClientFacts): string[] {
    const named = namedByConnection(joined(byName.connection));
    const fields: string[] = [];
    let cookie = 0;
    for (let at = 0; at + 1 < raw.length; at += 2) {
      const name = raw[at] as string;
      const value = raw[at + 1] as string;
      if (this.ends(name)) continue;
      const special = named !== undefined || name.length === 2;
      if (special && this.rules.endsInRequest(name.toLowerCase(), value, named)) continue;
      if (name.length === 6 && name.toLowerCase() === "cookie") {
        if (cookie > 0) {
          fields[cookie] = joinedCookies([fields[cookie] as string, value]);
          continue;
        }
        cookie = fields.length + 1;
      }
      fields.push(name, value);
    }
    const forwarding = this.rules.forwarding(client, (name) => joined(byName[name]));
    for (const [name, value] of forwarding) fields.push(name, value);
    fields.push("via", this.configuration.via);
    return fields;
  }

  private ends(name: string): boolean {
    let verdict = this.verdicts.get(name);
    if (verdict === undefined) {
      verdict = this.judge(name.toLowerCase());
      if (this.verdicts.size < CACHED) this.verdicts.set(name, verdict);
    }
    return verdict;
  }

  private judge(name: string): boolean {
    return (
      // Node.js has answered it already.
      name === "expect" ||
      // HTTP/2 has these in place of a request line.
      name.startsWith(":") ||
      // Set anew; a trusted earlier value is included.
      (this.configuration.forwarded && name === "x-forwarded-for") ||
      this.rules.isForged(name) ||
      // Whether `te` is forwarded depends on its value.
      (name !== "te" && this.rules.endsInRequest(name, "", undefined))
    );
  }
}
