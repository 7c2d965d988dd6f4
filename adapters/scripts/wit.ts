/** Reads as much of the WIT language as `wit/engine.wit` uses, and refuses the rest. */

export type Type =
  | { readonly kind: "bool" | "u16" | "u32" | "f64" | "string" }
  | { readonly kind: "list" | "option"; readonly of: Type }
  | { readonly kind: "tuple"; readonly of: readonly Type[] }
  | { readonly kind: "enum"; readonly name: string; readonly cases: readonly string[] }
  | { readonly kind: "record"; readonly name: string; readonly fields: readonly Field[] }
  | { readonly kind: "variant"; readonly name: string; readonly cases: readonly Case[] };

export interface Field {
  readonly name: string;
  readonly type: Type;
}

export interface Case {
  readonly name: string;
  readonly type: Type | undefined;
}

export interface Signature {
  readonly name: string;
  readonly parameters: readonly Field[];
  readonly result: Type | undefined;
}

export interface Interface {
  /** With its package and version, as the names of exports begin. */
  readonly id: string;
  readonly functions: readonly Signature[];
}

const PRIMITIVES = ["bool", "u16", "u32", "f64", "string"] as const;

/** The first interface of a file. A type must stand above what uses it. */
export function parseWit(source: string): Interface {
  return new Parser(source).interface();
}

class Parser {
  private readonly tokens: string[];
  private readonly types = new Map<string, Type>(PRIMITIVES.map((kind) => [kind, { kind }]));

  constructor(source: string) {
    const code = source.replace(/\/\/.*/g, "");
    this.tokens = code.match(/->|[\w.%-]+|\S/g) ?? [];
  }

  interface(): Interface {
    const [space, name, version] = [this.after("package"), this.after(":"), this.after("@")];
    this.expect(";");
    const id = `${space}:${name}/${this.after("interface")}@${version}`;
    this.expect("{");
    const functions: Signature[] = [];
    while (!this.skip("}")) {
      const word = this.next();
      if (this.skip(":")) functions.push(this.signature(word));
      else this.define(word, this.next());
    }
    return { id, functions };
  }

  private define(kind: string, name: string): void {
    this.expect("{");
    if (kind === "enum") {
      this.types.set(name, { kind, name, cases: this.listOf("}", () => this.next()) });
    } else if (kind === "record") {
      this.types.set(name, { kind, name, fields: this.listOf("}", () => this.field()) });
    } else if (kind === "variant") {
      this.types.set(name, { kind, name, cases: this.listOf("}", () => this.case()) });
    } else {
      throw new Error(`WIT's ${kind} is not known here`);
    }
  }

  private signature(name: string): Signature {
    this.expect("func");
    this.expect("(");
    const parameters = this.listOf(")", () => this.field());
    const result = this.skip("->") ? this.type() : undefined;
    this.expect(";");
    return { name, parameters, result };
  }

  private field(): Field {
    const name = this.next();
    this.expect(":");
    return { name, type: this.type() };
  }

  private case(): Case {
    const name = this.next();
    if (!this.skip("(")) return { name, type: undefined };
    const type = this.type();
    this.expect(")");
    return { name, type };
  }

  private type(): Type {
    const name = this.next();
    if (name === "tuple") {
      this.expect("<");
      return { kind: name, of: this.listOf(">", () => this.type()) };
    }
    if (name === "list" || name === "option") {
      this.expect("<");
      const of = this.type();
      this.expect(">");
      return { kind: name, of };
    }
    const known = this.types.get(name);
    if (known === undefined) throw new Error(`WIT's type ${name} is not known here`);
    return known;
  }

  private listOf<T>(end: string, item: () => T): T[] {
    const items: T[] = [];
    while (!this.skip(end)) {
      items.push(item());
      if (!this.skip(",")) {
        this.expect(end);
        break;
      }
    }
    return items;
  }

  private after(token: string): string {
    this.expect(token);
    return this.next();
  }

  private next(): string {
    const token = this.tokens.shift();
    if (token === undefined) throw new Error("the WIT ends too early");
    return token;
  }

  private skip(token: string): boolean {
    if (this.tokens[0] !== token) return false;
    this.tokens.shift();
    return true;
  }

  private expect(token: string): void {
    if (!this.skip(token)) throw new Error(`the WIT has ${this.tokens[0]} in place of ${token}`);
  }
}
