/**
 * The supported versions of Node.js: those on which undici loads. Its own package claims all
 * from 22.19 on, but it needs zstd, which Node.js 23 has from 23.8 on only.
 */

/** The oldest version of each line that is not supported as a whole; later lines are. */
export const OLDEST = ["22.19.0", "23.8.0"] as const;

/** As in `engines` of package.json. */
export const RANGE = `^${OLDEST[0]} || >=${OLDEST[1]}`;

/** The error message for `version`; undefined if it is supported. */
export function unsupported(version: string): string | undefined {
  const given = numbers(version);
  const least = numbers(given[0] === 22 ? OLDEST[0] : OLDEST[1]);
  const at = least.findIndex((part, index) => part !== given[index]);
  if (at < 0 || (given[at] ?? 0) > (least[at] ?? 0)) return undefined;
  return `function-fetch needs Node.js 22 from ${OLDEST[0]} on, or ${OLDEST[1]} or later; this is ${version}`;
}

function numbers(version: string): number[] {
  return version.split(".").map(Number);
}
