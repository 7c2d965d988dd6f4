/** Passes a target's response to the client: the body streams as fast as the client reads. */

import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import { type FieldRules, namedByConnection } from "../driver/headers.js";
import { explainFields } from "../driver/replies.js";
import type { Outcome } from "../driver/reverse-proxy.js";
import { isEarly } from "./client.js";
import { type FieldMap, joined } from "./fields.js";
import type { Sink, UpstreamResponse } from "./upstream-response.js";

export type Response = ServerResponse | Http2ServerResponse;

/** A target's response, and what `FETCH_EXPLAIN` adds to it. */
export type Answered = Extract<Outcome<UpstreamResponse>, { readonly answer: UpstreamResponse }>;

/** Passes a response on, with the fields of `answeredFields`. */
export function relay(upstream: UpstreamResponse, response: Response, fields: string[]): void {
  if (isHttp2(response)) overHttp2(response, fields, upstream);
  else overHttp1(response, fields, upstream);
}

function overHttp1(response: ServerResponse, fields: string[], upstream: UpstreamResponse): void {
  const { status } = upstream;
  if (isEarly(response.req)) fields.push("connection", "close");
  // Trailers need a chunked body: Node.js refuses to announce them otherwise.
  const chunked =
    hasContent(status, response.req.method) &&
    response.req.httpVersionMinor > 0 &&
    upstream.fields["content-length"] === undefined;
  response.writeHead(status, chunked ? fields : without("trailer", fields));
  // A client of server-sent events should get the head before the first event.
  if (!upstream.pipeTo(new Http1Sink(response, upstream))) response.flushHeaders();
}

function overHttp2(
  response: Http2ServerResponse,
  fields: string[],
  upstream: UpstreamResponse,
): void {
  for (let at = 0; at + 1 < fields.length; at += 2) {
    response.appendHeader(fields[at] as string, fields[at + 1] as string);
  }
  response.writeHead(upstream.status);
  upstream.pipeTo(new Http2Sink(response, upstream));
}

/** The fields for the client: names and values alternating. */
export function answeredFields(outcome: Answered, rules: FieldRules): string[] {
  const fields = clientFields(outcome.answer, rules);
  if (outcome.explain !== undefined) {
    for (const [name, value] of explainFields(outcome.explain, outcome.elapsed)) {
      fields.push(name, value);
    }
  }
  return fields;
}

/** The response's fields without the hop-by-hop ones: names and values alternating. */
export function clientFields(upstream: UpstreamResponse, rules: FieldRules): string[] {
  const named = namedByConnection(joined(upstream.fields.connection));
  const fields: string[] = [];
  for (const name of Object.keys(upstream.fields)) {
    if (rules.endsInResponse(name, named)) continue;
    const value = upstream.fields[name];
    if (typeof value === "string") fields.push(name, value);
    else if (value !== undefined) for (const one of value) fields.push(name, one);
  }
  return fields;
}

/** RFC 9110 §6.4.1: whether such a response has content, whatever its fields say. */
export function hasContent(status: number, method: string | undefined): boolean {
  return method !== "HEAD" && status !== 204 && status !== 304;
}

function without(unwanted: string, fields: string[]): string[] {
  if (!fields.includes(unwanted)) return fields;
  return fields.filter((_, at) => fields[at - (at % 2)] !== unwanted);
}

export function isHttp2(response: Response): response is Http2ServerResponse {
  return "stream" in response;
}

/**
 * A body of up to so many bytes is written together with its head, as a Latin-1
 * string, which is the same bytes. A buffer would need a second write.
 */
const WITH_HEAD = 16 * 1024;

class Http1Sink implements Sink {
  private waits = false;

  constructor(
    private readonly response: ServerResponse,
    private readonly upstream: UpstreamResponse,
  ) {}

  write(chunk: Buffer): boolean {
    const room = this.response.write(chunk);
    if (!room && !this.waits) {
      this.waits = true;
      this.response.once("drain", () => {
        this.waits = false;
        this.upstream.resume();
      });
    }
    return room;
  }

  end(last: Buffer | undefined, trailers: FieldMap): void {
    const pairs: [string, string][] = [];
    for (const name of Object.keys(trailers)) {
      const value = trailers[name] ?? "";
      for (const one of Array.isArray(value) ? value : [value]) pairs.push([name, one]);
    }
    if (pairs.length > 0) this.response.addTrailers(pairs);
    if (last !== undefined && last.byteLength <= WITH_HEAD) {
      this.response.end(last.toString("latin1"), "latin1");
    } else {
      this.response.end(last);
    }
  }

  fail(): void {
    // The connection is broken off, so that the part sent so far does not look complete.
    this.response.destroy();
  }
}

class Http2Sink implements Sink {
  private waits = false;

  constructor(
    private readonly response: Http2ServerResponse,
    private readonly upstream: UpstreamResponse,
  ) {}

  write(chunk: Buffer): boolean {
    const room = this.response.write(chunk);
    if (!room && !this.waits) {
      this.waits = true;
      this.response.once("drain", () => {
        this.waits = false;
        this.upstream.resume();
      });
    }
    return room;
  }

  end(last: Buffer | undefined, trailers: FieldMap): void {
    const { response } = this;
    response.addTrailers({ ...trailers });
    if (last === undefined) response.end();
    else response.end(last);
  }

  fail(): void {
    this.response.stream.close(NGHTTP2_INTERNAL_ERROR);
  }
}

/** RFC 9113 §7. */
const NGHTTP2_INTERNAL_ERROR = 2;
