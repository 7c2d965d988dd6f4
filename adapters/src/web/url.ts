/** The parts of a `Request`'s URL, parsed again only where necessary. */

/** What a URL parser takes for `.` or `..`, or for the `/` before one. Not every runtime resolves them. */
const DOTS = /%2e|\\|\/\.\.?(?:[/?#]|$)/i;

export interface Parts {
  /** `http` or `https`. */
  readonly scheme: string;
  /** Host and port, as the client asked for them. */
  readonly authority: string;
  /** The path with its query. */
  readonly path: string;
}

/** The parts of a request's URL, which the runtime has made absolute. */
export function partsOf(url: string): Parts {
  const authority = url.indexOf("://") + 3;
  const path = url.indexOf("/", authority);
  return {
    scheme: url.slice(0, authority - 3),
    authority: url.slice(authority, path),
    path: pathOf(url, path),
  };
}

/**
 * `fetch` would resolve dot segments after the target's base path is prepended, and
 * leave that path: so they are resolved here, before.
 */
function pathOf(url: string, at: number): string {
  const fragment = url.indexOf("#", at);
  const path = fragment < 0 ? url.slice(at) : url.slice(at, fragment);
  if (!DOTS.test(path)) return path;
  const { href, origin } = new URL(url);
  return href.slice(origin.length).replace(/#.*$/, "");
}
