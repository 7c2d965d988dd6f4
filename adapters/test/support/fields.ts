/** Header fields as on the wire: in order, repeated, in any case. */

export type Field = readonly [name: string, value: string];

/** Pairs of the flat list that Node.js has (`rawHeaders`, `rawTrailers`). */
export function fieldsOf(flat: readonly string[]): Field[] {
  const fields: Field[] = [];
  for (let at = 0; at + 1 < flat.length; at += 2) {
    fields.push([flat[at] ?? "", flat[at + 1] ?? ""]);
  }
  return fields;
}

/** All values of a field, in order. `name` in any case. */
export function valuesOf(fields: readonly Field[], name: string): string[] {
  const wanted = name.toLowerCase();
  return fields.filter(([known]) => known.toLowerCase() === wanted).map(([, value]) => value);
}

/** The only value of a field, or nothing. Several fail the test. */
export function onlyValue(fields: readonly Field[], name: string): string | undefined {
  const values = valuesOf(fields, name);
  if (values.length > 1) throw new Error(`several ${name}: ${JSON.stringify(values)}`);
  return values[0];
}
