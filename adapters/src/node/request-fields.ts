/** A client's fields as those for the target: names and values by turns, as Node.js has them. */

import {
  type ClientFacts,
  type FieldRules,
  joinedCookies,
  namedByConnection,
} from "../driver/headers.js";
import type { Configuration } from "../engine/interface.js";
import { type FieldMap, joined } from "./fields.js";

/** Of so many names, as clients spell them, is remembered whether they go on. */
const REMEMBERED = 512;

export class RequestFields {
  /** By the name as it was written: whether it ends here, whatever else the request says. */
  private readonly verdicts = new Map<string, boolean>();

  constructor(
    private readonly configuration: Configuration,
    private readonly rules: FieldRules,
  ) {}

  /** `raw` and `told` are the same fields, in two forms. */
  forTarget(raw: readonly string[], told: FieldMap, client: ClientFacts): string[] {
    const named = namedByConnection(joined(told.connection));
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
    const forwarding = this.rules.forwarding(client, (name) => joined(told[name]));
    for (const [name, value] of forwarding) fields.push(name, value);
    fields.push("via", this.configuration.via);
    return fields;
  }

  private ends(name: string): boolean {
    let verdict = this.verdicts.get(name);
    if (verdict === undefined) {
      verdict = this.judge(name.toLowerCase());
      if (this.verdicts.size < REMEMBERED) this.verdicts.set(name, verdict);
    }
    return verdict;
  }

  private judge(name: string): boolean {
    return (
      // Node.js has answered it, and the target is not asked again.
      name === "expect" ||
      // HTTP/2 has these in place of a request line.
      name.startsWith(":") ||
      // Set anew, with what was there where that is trusted.
      (this.configuration.forwarded && name === "x-forwarded-for") ||
      this.rules.isForged(name) ||
      // `te` ends or goes on by its value.
      (name !== "te" && this.rules.endsInRequest(name, "", undefined))
    );
  }
}
