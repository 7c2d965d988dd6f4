/** The body of a `Request`, as far as `fetch` can send it. */

/** What matters of a request. */
export interface Carrying {
  readonly method: string;
  readonly headers: Headers;
  readonly body?: ReadableStream<Uint8Array> | null;
}

/**
 * Whether it is a GET or HEAD with a body. `fetch` sends none with these (WHATWG
 * Fetch), and dropping the body would change the request.
 */
export function cannotBeSent({ method, headers, body }: Carrying): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const length = headers.get("content-length");
  if (length !== null) return length !== "0";
  return headers.has("transfer-encoding") || (body ?? null) !== null;
}

/** The request's body, unless it is empty: an empty stream would be sent chunked. */
export async function bodyOf({
  method,
  headers,
  body = null,
}: Carrying): Promise<ReadableStream<Uint8Array> | null> {
  if (body === null || method === "GET" || method === "HEAD") return null;
  const length = headers.get("content-length");
  if (length !== null) return length === "0" ? null : body;
  if (headers.has("transfer-encoding")) return body;
  // An HTTP/1.1 request then has no body; with HTTP/2 only reading it shows.
  const reader = body.getReader();
  for (;;) {
    const first = await reader.read();
    if (first.done) return null;
    if (first.value.byteLength > 0) return resumed(first.value, reader);
  }
}

/** A stream whose first chunk has been read. */
function resumed(
  first: Uint8Array,
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(first),
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}
