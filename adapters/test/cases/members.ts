/** JSON, read strictly: what is missing, of the wrong type or unknown is an error that says where. */

/** What is wrong with the table. */
export class Malformed extends Error {
  constructor(where: string, what: string) {
    super(`${where} ${what}`);
    this.name = "Malformed";
  }
}

/** One value, and where it stands. */
export class Value {
  readonly where: string;
  private readonly json: unknown;

  constructor(json: unknown, where: string) {
    this.json = json;
    this.where = where;
  }

  /** The same value, named otherwise in errors. */
  at(where: string): Value {
    return new Value(this.json, where);
  }

  /** As it stands, of whatever type. */
  raw(): unknown {
    return this.json;
  }

  isNull(): boolean {
    return this.json === null;
  }

  isText(): boolean {
    return typeof this.json === "string";
  }

  isNumber(): boolean {
    return typeof this.json === "number";
  }

  isList(): boolean {
    return Array.isArray(this.json);
  }

  text(): string {
    if (typeof this.json === "string") return this.json;
    throw new Malformed(this.where, "must be a string");
  }

  number(): number {
    if (typeof this.json === "number" && this.json >= 0) return this.json;
    throw new Malformed(this.where, "must be a number of 0 or more");
  }

  flag(): boolean {
    if (typeof this.json === "boolean") return this.json;
    throw new Malformed(this.where, "must be true or false");
  }

  oneOf<T extends string>(allowed: readonly T[]): T {
    const found = allowed.find((one) => one === this.json);
    if (found !== undefined) return found;
    throw new Malformed(this.where, `must be one of ${allowed.join(", ")}`);
  }

  list<T>(read: (value: Value) => T): T[] {
    if (!Array.isArray(this.json)) throw new Malformed(this.where, "must be a list");
    return this.json.map((one: unknown, at) => read(new Value(one, `${this.where}[${at}]`)));
  }

  members(): Members {
    if (typeof this.json === "object" && this.json !== null && !Array.isArray(this.json)) {
      return new Members(this.json, this.where);
    }
    throw new Malformed(this.where, "must be an object");
  }

  /** As an object. */
  with<T>(read: (members: Members) => T): T {
    return read(this.members());
  }
}

/** The members of an object; each must be asked for before `end`. */
export class Members {
  readonly where: string;
  private readonly json: Readonly<Record<string, unknown>>;
  private readonly asked = new Set<string>();

  constructor(json: object, where: string) {
    this.json = json as Readonly<Record<string, unknown>>;
    this.where = where;
  }

  optional(name: string): Value | undefined {
    this.asked.add(name);
    if (!Object.hasOwn(this.json, name)) return undefined;
    return new Value(this.json[name], `${this.where}.${name}`);
  }

  required(name: string): Value {
    const value = this.optional(name);
    if (value === undefined) throw new Malformed(this.where, `has no ${JSON.stringify(name)}`);
    return value;
  }

  /** All of them, whatever their names. */
  *each(): Generator<[name: string, value: Value]> {
    for (const name of Object.keys(this.json)) yield [name, this.required(name)];
  }

  map<T>(read: (value: Value, name: string) => T): Map<string, T> {
    return new Map(Array.from(this.each(), ([name, value]) => [name, read(value, name)]));
  }

  /** Some of them, as they are. */
  pick(names: readonly string[]): Record<string, unknown> {
    for (const name of names) this.asked.add(name);
    return Object.fromEntries(Object.entries(this.json).filter(([name]) => names.includes(name)));
  }

  /** There must be no others. */
  end(): void {
    const unknown = Object.keys(this.json).filter((name) => !this.asked.has(name));
    if (unknown.length > 0)
      throw new Malformed(this.where, `has unknown members: ${unknown.join(", ")}`);
  }
}
