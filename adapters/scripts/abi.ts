/**
 * How the component model's canonical ABI lays values out:
 * https://github.com/WebAssembly/component-model/blob/main/design/mvp/CanonicalABI.md
 */

import type { Case, Type } from "./wit.js";

/** What a core's function takes and gives. */
export type Flat = "i32" | "i64" | "f64";

export interface Layout {
  readonly size: number;
  readonly align: number;
}

/** Beyond so many the ABI hands them over in memory. */
const MOST_PARAMETERS = 16;

export function layoutOf(type: Type): Layout {
  switch (type.kind) {
    case "bool":
      return { size: 1, align: 1 };
    case "u16":
      return { size: 2, align: 2 };
    case "u32":
      return { size: 4, align: 4 };
    case "f64":
      return { size: 8, align: 8 };
    case "string":
    case "list":
      return { size: 8, align: 4 };
    case "tuple":
      return inTurn(type.of).layout;
    case "record":
      return inTurn(type.fields.map((field) => field.type)).layout;
    default: {
      const payloads = payloadsOf(type).map(layoutOf);
      const align = Math.max(1, ...payloads.map((layout) => layout.align));
      const size = payloadOffset(type) + Math.max(0, ...payloads.map((layout) => layout.size));
      return { size: upTo(size, align), align };
    }
  }
}

/** Where each of several values stands that follow each other. */
export function inTurn(types: readonly Type[]): { offsets: number[]; layout: Layout } {
  let [size, align] = [0, 1];
  const offsets = types.map((type) => {
    const layout = layoutOf(type);
    const offset = upTo(size, layout.align);
    size = offset + layout.size;
    align = Math.max(align, layout.align);
    return offset;
  });
  return { offsets, layout: { size: upTo(size, align), align } };
}

/** Where the payload stands of what begins with the number of its case. */
export function payloadOffset(type: Type): number {
  return Math.max(1, ...payloadsOf(type).map((payload) => layoutOf(payload).align));
}

/** The parameters of a core's function. */
export function parametersOf(types: readonly Type[]): Flat[] {
  const flat = types.flatMap(flatOf);
  if (flat.length > MOST_PARAMETERS) throw new Error("too many parameters to be handed over");
  if (flat.includes("i64"))
    throw new Error("an f64 lies over an integer: wasm2js has no i64 for it");
  return flat;
}

export function flatOf(type: Type): Flat[] {
  switch (type.kind) {
    case "f64":
      return ["f64"];
    case "string":
    case "list":
      return ["i32", "i32"];
    case "tuple":
      return type.of.flatMap(flatOf);
    case "record":
      return type.fields.flatMap((field) => flatOf(field.type));
    case "option":
    case "variant":
      return ["i32", ...payloadsOf(type).map(flatOf).reduce(joined, [])];
    default:
      return ["i32"];
  }
}

/** What two payloads share. */
function joined(one: readonly Flat[], other: readonly Flat[]): Flat[] {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return long.map((flat, index) => ((short[index] ?? flat) === flat ? flat : "i64"));
}

function payloadsOf(type: Type): Type[] {
  if (type.kind === "option") return [type.of];
  const cases: readonly Case[] = type.kind === "variant" ? type.cases : [];
  return cases.flatMap((one) => one.type ?? []);
}

function upTo(size: number, align: number): number {
  return Math.ceil(size / align) * align;
}
