/** A proxy that knows nothing but its first target, to try the runner on. */

import { request as ask, createServer } from "node:http";
import { listenAnywhere } from "../support/port.js";
import type { CaseHost, Entry, RunningProxy, Settings } from "./host.js";

export const reference: CaseHost = {
  name: "node",
  store: "custom",
  client: "127.0.0.1",
  atOnce: 8,
  measuredAtOnce: 8,
  added: [],
  authority: (port) => `127.0.0.1:${port}`,
  start: async (settings: Settings, entry: Entry | undefined): Promise<RunningProxy> => {
    const [target = ""] = settings.get("FETCH_TARGETS")?.split(",") ?? [];
    const server = createServer((request, response) => {
      const headers = [...request.rawHeaders, "x-forwarded-for", "127.0.0.1"];
      const sent = ask(
        target + request.url,
        { method: request.method ?? "GET", headers },
        (answer) => {
          response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
          answer.pipe(response);
          answer.on("error", () => response.destroy());
        },
      );
      sent.on("error", () => {
        if (response.headersSent) response.destroy();
        else response.writeHead(502).end("bad gateway");
      });
      request.pipe(sent);
    });
    const port = await listenAnywhere(server);
    return {
      port,
      said: [],
      read: async (key) => (key === entry?.key ? entry.value : undefined),
      stop: async () => {
        server.close();
        server.closeAllConnections();
      },
    };
  },
};
