/** The supported versions of Node.js: those that undici supports. */

/** As in `engines` of package.json. */
export const OLDEST = "22.19.0";

/** The error message for `version`; undefined if it is supported. */
export function unsupported(version: string): string | undefined {
  const given = version.split(".").map(Number);
  const least = OLDEST.split(".").map(Number);
  const at = least.findIndex((part, index) => part !== given[index]);
  if (at < 0 || (given[at] ?? 0) > (least[at] ?? 0)) return undefined;
  return `function-fetch needs Node.js ${OLDEST} or later; this is ${version}`;
}
