/** A static server for the page, as plain as they come. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize } from "node:path";

/** WebAssembly is not among them: the page must not depend on it. */
const TYPES: Record<string, string> = {
  ".css": "text/css",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".svg": "image/svg+xml",
};

export interface Site {
  url: string;
  close(): void;
}

/** The page's folder, which `cargo xtask playground` fills. */
export function builtFolder(): string {
  const { FUNCTION_FETCH_PLAYGROUND: folder } = process.env;
  if (folder === undefined) {
    throw new Error("FUNCTION_FETCH_PLAYGROUND is not set: `cargo xtask test page` sets it");
  }
  return folder;
}

export async function serve(folder: string): Promise<Site> {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const path = normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    try {
      const body = await readFile(join(folder, path));
      response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.close() };
}
