/** Fields by their names in lower case; a repeated one is an array. */
export type FieldMap = Readonly<Record<string, string | string[] | undefined>>;

/** The value of a field, of whatever kind. */
export function joined(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(", ") : value;
}
