/** What runtimes hand to a `fetch` handler beside the request. */

/** What a `Request` does not contain. */
export interface Facts {
  /** The client's IP address, for `x-forwarded-for`. */
  readonly address?: string | undefined;
  /** Keeps the function running until the work is done, where it ends with its response. */
  readonly waitUntil?: ((work: Promise<unknown>) => void) | undefined;
}

/**
 * The facts in what was handed: `Facts` themselves, the `info` of `Deno.serve`, the server of
 * `Bun.serve`, the context of Netlify and Vercel.
 */
export function factsIn(request: Request, handed: readonly unknown[]): Facts {
  let address: string | undefined;
  let waitUntil: Facts["waitUntil"];
  for (const one of handed) {
    if (typeof one !== "object" || one === null) continue;
    address ??= addressIn(one, request);
    if ("waitUntil" in one && typeof one.waitUntil === "function") {
      const { waitUntil: wait } = one;
      waitUntil ??= (work) => void wait.call(one, work);
    }
  }
  return { address, waitUntil };
}

function addressIn(one: object, request: Request): string | undefined {
  // Bun: an object for a client that is still connected.
  if ("requestIP" in one && typeof one.requestIP === "function") {
    return textOf(one.requestIP(request), "address");
  }
  // Deno.
  if ("remoteAddr" in one) return textOf(one.remoteAddr, "hostname");
  // Netlify.
  return textOf(one, "address") ?? textOf(one, "ip");
}

function textOf(from: unknown, name: string): string | undefined {
  if (typeof from !== "object" || from === null) return undefined;
  const value: unknown = Reflect.get(from, name);
  return typeof value === "string" && value !== "" ? value : undefined;
}
