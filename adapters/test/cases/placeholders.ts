/** What stands in braces in the table: `{a}`, `{a.authority}`, `{proxy}`, `{client}`; `{{` is a brace. */

import { Malformed } from "./members.js";

export type Meanings = ReadonlyMap<string, string>;

/** What the upstreams' placeholders mean, by their names. */
export function upstreamMeanings(authorities: ReadonlyMap<string, string>): Map<string, string> {
  const meanings = new Map<string, string>();
  for (const [name, authority] of authorities) {
    meanings.set(name, `http://${authority}`);
    meanings.set(`${name}.authority`, authority);
  }
  return meanings;
}

/** The same JSON with every string's placeholders filled in. Names of members are left alone. */
export function expand(json: unknown, meanings: Meanings, where: string): unknown {
  if (typeof json === "string") return expandText(json, meanings, where);
  if (Array.isArray(json)) {
    return json.map((one: unknown, at) => expand(one, meanings, `${where}[${at}]`));
  }
  if (typeof json !== "object" || json === null) return json;
  return Object.fromEntries(
    Object.entries(json).map(([name, value]) => [
      name,
      expand(value, meanings, `${where}.${name}`),
    ]),
  );
}

function expandText(text: string, meanings: Meanings, where: string): string {
  return text.replaceAll(/\{\{|\{([^{}]*)\}|\{/g, (found, name: string | undefined) => {
    if (found === "{{") return "{";
    const meaning = name === undefined ? undefined : meanings.get(name);
    if (meaning === undefined) {
      throw new Malformed(
        where,
        `has a placeholder that means nothing here: ${JSON.stringify(text)}`,
      );
    }
    return meaning;
  });
}
