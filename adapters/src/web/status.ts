/** Requests for the status page, over WHATWG `Request`. */

import type { Asked } from "../driver/status.js";
import type { Configuration } from "../engine/interface.js";

/** What a platform's `Request` has of it. */
interface Given {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body?: ReadableStream<Uint8Array> | null;
}

export function askedBy(request: Given, configuration: Configuration): Asked {
  return {
    method: request.method,
    scheme: request.url.split(":", 1)[0],
    field: (name) => request.headers.get(name) ?? undefined,
    form: () => formOf(request.body ?? null, configuration),
  };
}

async function formOf(
  body: ReadableStream<Uint8Array> | null,
  { statusFormBytes, statusFormTimeout }: Configuration,
): Promise<string | undefined> {
  if (body === null) return "";
  const reader = body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });
  let isLate = false;
  const late = setTimeout(() => {
    isLate = true;
    reader.cancel().catch(() => {});
  }, statusFormTimeout);
  try {
    let form = "";
    for (let bytes = 0; bytes <= statusFormBytes; ) {
      const { done, value } = await reader.read();
      if (isLate) return undefined;
      if (done) return form + decoder.decode();
      bytes += value.byteLength;
      form += decoder.decode(value, { stream: true });
    }
    await reader.cancel();
    return undefined;
  } catch {
    // It broke off, or is no text.
    return undefined;
  } finally {
    clearTimeout(late);
  }
}
