/** The user's own code around a request: `onRequest` before it is routed, `onResponse` before its response is sent. */

/** A client's request, as hooks get it. */
export interface HookedRequest {
  readonly method: string;
  /** With its query. A hook may set it: it is what goes below a target's base path. */
  path: string;
  /**
   * The client's fields, which a hook may change; those that belong to one connection, and those
   * that the proxy sets itself, are dealt with afterwards. Changes of `content-length` and
   * `transfer-encoding` are ignored.
   */
  readonly headers: Headers;
  /** The client's IP address, where it is known. */
  readonly address: string | undefined;
}

/** A response on its way to the client, as hooks get it. */
export interface HookedResponse {
  readonly status: number;
  /** Its fields, which a hook may change, except `content-length` and `transfer-encoding`. */
  readonly headers: Headers;
  /** The address of the target that sent it; undefined where the proxy replies itself. */
  readonly target: string | undefined;
}

export interface Hooks {
  /**
   * Gets each request before it is routed, WebSockets included. A `Response` that it returns goes
   * to the client in place of a target's. If it fails, the client gets a 502.
   */
  readonly onRequest?:
    | ((request: HookedRequest) => Response | undefined | Promise<Response | undefined>)
    | undefined;
  /**
   * Gets each response of a target, and each that the proxy makes itself, before its head is
   * sent. If it fails, the client gets a 502.
   */
  readonly onResponse?:
    | ((response: HookedResponse, request: HookedRequest) => void | Promise<void>)
    | undefined;
}

/** The options that hooks are. */
export const HOOKS = ["onRequest", "onResponse"] as const;

/** They say how long the body is, which no hook changes. */
const FRAMING = ["content-length", "transfer-encoding"] as const;

/** Puts the fields that frame a body back as they were in `before`. */
export function keepFraming(headers: Headers, before: Headers): void {
  for (const name of FRAMING) {
    const value = before.get(name);
    if (value === null) headers.delete(name);
    else if (headers.get(name) !== value) headers.set(name, value);
  }
}

/** What `onRequest` has returned. Throws a `TypeError` for what is no response: it must not be ignored. */
export function ownResponse(returned: unknown): Response | undefined {
  if (returned === undefined || returned instanceof Response) return returned;
  throw new TypeError("`onRequest` has returned neither a `Response` of this runtime nor nothing");
}

/** The functions among the hooks; undefined without any. Throws a `TypeError` for anything else. */
export function hooksOf({ onRequest, onResponse }: Hooks): Hooks | undefined {
  for (const [name, hook] of Object.entries({ onRequest, onResponse })) {
    if (hook !== undefined && typeof hook !== "function") {
      throw new TypeError(`the option \`${name}\` is no function`);
    }
  }
  return onRequest === undefined && onResponse === undefined
    ? undefined
    : { onRequest, onResponse };
}
