/**
 * The glue of the plain core: JavaScript that stands among the core's functions
 * and reads and writes its memory as they do. jco's glue cannot, and has all of
 * a type's steps written out wherever the type is used: three times the bytes.
 */

import { flatOf, inTurn, layoutOf, parametersOf, payloadOffset } from "./abi.js";
import type { Field, Interface, Signature, Type } from "./wit.js";

/** What the core's own code is asked for. */
export interface Core {
  /** How it calls the function that it exports by this name, if it has one. */
  exported(name: string): string | undefined;
  /** Throws unless a function takes these, and makes 32-bit integers and numbers of what it is given. */
  check(called: string, parameters: readonly string[]): void;
}

/**
 * `lowered` leaves the length of a text beside its address. Memory may be another
 * after `realloc`, so that nobody may have looked at it before.
 */
const TEXTS = `
const decoder = new TextDecoder();
let length = 0;
function lowered(text) {
  length = 0;
  while (text.charCodeAt(length) < 128) length++;
  const bytes = length < text.length ? new TextEncoder().encode(text) : undefined;
  if (bytes) length = bytes.length;
  const at = length ? realloc(0, 0, 1, length) : 1;
  if (bytes) HEAPU8.set(bytes, at);
  else for (let index = 0; index < length; index++) HEAPU8[at + index] = text.charCodeAt(index);
  return at;
}
function store(p, text) {
  const at = lowered(text);
  HEAPU32[p >> 2] = at;
  HEAPU32[p + 4 >> 2] = length;
}
function lift_string(p) {
  const at = HEAPU32[p >> 2];
  return decoder.decode(HEAPU8.subarray(at, at + HEAPU32[p + 4 >> 2]));
}
`;

const LISTS = `
function lower_list(items, size, align, lower) {
  const at = realloc(0, 0, align, items.length * size);
  items.forEach((item, index) => lower(item, at + index * size));
  return at;
}
function lift_list(p, size, lift) {
  const items = [];
  for (let at = HEAPU32[p >> 2], left = HEAPU32[p + 4 >> 2]; left--; at += size) items.push(lift(at));
  return items;
}
function lift_list_u32(p) {
  const at = HEAPU32[p >> 2] >> 2;
  return HEAPU32.slice(at, at + HEAPU32[p + 4 >> 2]);
}
`;

const OTHERS = `
function numberOf(names, name) {
  const number = names.indexOf(name);
  if (number < 0) throw new TypeError(name);
  return number;
}
function result(p, lift, free) {
  const value = lift(p);
  free?.(p);
  return value;
}
`;

const LOADS = {
  bool: (at: string) => `!!HEAPU8[${at}]`,
  u16: (at: string) => `HEAPU16[${at} >> 1]`,
  u32: (at: string) => `HEAPU32[${at} >> 2]`,
  f64: (at: string) => `HEAPF64[${at} >> 3]`,
  string: (at: string) => `lift_string(${at})`,
};

/** Statements, after which `engine` is the object with the interface's functions. */
export function glueOf(wit: Interface, core: Core): string {
  return new Glue(wit.id, core).of(wit.functions);
}

class Glue {
  /** What the types need, by its name. */
  private readonly helpers = new Map<string, string>();

  constructor(
    private readonly id: string,
    private readonly core: Core,
  ) {}

  of(functions: readonly Signature[]): string {
    const entries = functions.map((signature) => this.entry(signature));
    const realloc = `const realloc = ${this.called("cabi_realloc")};`;
    const helpers = [...this.helpers.values()].join("\n");
    const engine = `const engine = {\n${entries.join(",\n")}\n};`;
    return [realloc, TEXTS, LISTS, OTHERS, helpers, engine].join("\n");
  }

  private called(name: string): string {
    const called = this.core.exported(name);
    if (called === undefined) throw new Error(`the core has no ${name}`);
    return called;
  }

  private entry({ name, parameters, result }: Signature): string {
    const exported = `${this.id}#${name}`;
    const called = this.called(exported);
    this.core.check(called, parametersOf(parameters.map(({ type }) => type)));
    // A `$`, so that none has the name of a helper.
    const names = parameters.map((parameter) => `$${camel(parameter.name)}`);
    const given = parameters.flatMap(({ type }, index) => this.lower(type, names[index] ?? ""));
    const call = `${called}(${given.join(", ")})`;
    return `${camel(name)}: (${names.join(", ")}) => ${this.given(call, result, exported)}`;
  }

  /** What the call gives. The host hands back what the core has allocated for it. */
  private given(call: string, type: Type | undefined, exported: string): string {
    if (type === undefined) return `{ ${call}; }`;
    if (type.kind === "bool") return `!!${call}`;
    if (flatOf(type).length < 2) throw new Error(`no function gives one ${type.kind} so far`);
    const free = this.core.exported(`cabi_post_${exported}`);
    return `result(${[call, this.lifter(type), free ?? []].flat().join(", ")})`;
  }

  /** The value at `base + offset`. */
  private lift(type: Type, base: string, offset: number): string {
    const at = offset === 0 ? base : `${base} + ${offset}`;
    if (type.kind === "enum") return `${this.names(type)}[HEAPU8[${at}]]`;
    return type.kind in LOADS
      ? LOADS[type.kind as keyof typeof LOADS](at)
      : `${this.lifter(type)}(${at})`;
  }

  /** The name of the function that gives what stands at an address. */
  private lifter(type: Type): string {
    const name = `lift_${keyOf(type)}`;
    if (type.kind === "string" || (type.kind === "list" && type.of.kind === "u32")) return name;
    if (!this.helpers.has(name)) {
      this.helpers.set(name, `function ${name}(p) { ${this.lifting(type)} }`);
    }
    return name;
  }

  private lifting(type: Type): string {
    const offset = payloadOffset(type);
    switch (type.kind) {
      case "record": {
        const { offsets } = inTurn(type.fields.map((field) => field.type));
        return `return { ${type.fields.map((field, index) => this.member(field, offsets[index] ?? 0)).join(", ")} };`;
      }
      case "option":
        return `return HEAPU8[p] ? ${this.lift(type.of, "p", offset)} : undefined;`;
      case "list":
        return `return lift_list(p, ${layoutOf(type.of).size}, ${this.lifter(type.of)});`;
      case "variant": {
        const cases = type.cases.map(({ name, type }, index) => {
          const value = type === undefined ? "" : `, val: ${this.lift(type, "p", offset)}`;
          return `case ${index}: return { tag: "${name}"${value} };`;
        });
        return `switch (HEAPU8[p]) { ${cases.join(" ")} }`;
      }
      default:
        throw new Error(`nothing gives a ${type.kind} so far`);
    }
  }

  private member({ name, type }: Field, offset: number): string {
    return `${camel(name)}: ${this.lift(type, "p", offset)}`;
  }

  /** The arguments that hand a value to the core, whose functions themselves make numbers of them. */
  private lower(type: Type, value: string): string[] {
    switch (type.kind) {
      case "string":
        return [`lowered(${value})`, "length"];
      case "enum":
        return [`numberOf(${this.names(type)}, ${value})`];
      case "record":
        return type.fields.flatMap((field) =>
          this.lower(field.type, `${value}.${camel(field.name)}`),
        );
      case "option": {
        const [some, none] = [this.lower(type.of, value), flatOf(type).map(() => 0)];
        return [`...(${value} == null ? [${none}] : [1, ${some.join(", ")}])`];
      }
      case "variant":
        return [`...${this.lowerer(type)}(${value})`];
      case "list": {
        const { size, align } = layoutOf(type.of);
        const lower = `(item, p) => { ${this.store(type.of, "item", 0)} }`;
        return [`lower_list(${value}, ${size}, ${align}, ${lower})`, `${value}.length`];
      }
      case "tuple":
        throw new Error("nothing takes a tuple outside of a list so far");
      default:
        return [value];
    }
  }

  /** The name of the function that gives the arguments for a variant. */
  private lowerer(type: Type & { kind: "variant" }): string {
    const name = `lower_${keyOf(type)}`;
    const length = flatOf(type).length;
    const cases = type.cases.map((one, index) => {
      const payload = one.type === undefined ? [] : this.lower(one.type, "val");
      const rest = length - 1 - (one.type === undefined ? 0 : flatOf(one.type).length);
      const given = [index, ...payload, ...Array(rest).fill(0)];
      return `case "${one.name}": return [${given.join(", ")}];`;
    });
    const otherwise = "throw new TypeError(tag);";
    const body = `switch (tag) { ${cases.join(" ")} } ${otherwise}`;
    this.helpers.set(name, `function ${name}({ tag, val }) { ${body} }`);
    return name;
  }

  private store(type: Type, value: string, offset: number): string {
    if (type.kind === "string") return `store(p + ${offset}, ${value});`;
    if (type.kind !== "tuple") throw new Error(`no list of ${type.kind} is taken so far`);
    const { offsets } = inTurn(type.of);
    return type.of
      .map((item, index) => this.store(item, `${value}[${index}]`, offset + (offsets[index] ?? 0)))
      .join(" ");
  }

  /** The name of the list of an enum's names. */
  private names(type: Type & { kind: "enum" }): string {
    const name = `names_${keyOf(type)}`;
    this.helpers.set(name, `const ${name} = ${JSON.stringify(type.cases)};`);
    return name;
  }
}

function keyOf(type: Type): string {
  if (type.kind === "list" || type.kind === "option") return `${type.kind}_${keyOf(type.of)}`;
  return camel("name" in type ? type.name : type.kind);
}

function camel(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}
