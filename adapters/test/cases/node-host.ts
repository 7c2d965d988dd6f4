/** Function Fetch on Node.js, behind a server of `node:http`. */

import { createServer } from "node:http";
import { createNodeHandler } from "../../src/node/index.js";
import { listenAnywhere } from "../support/port.js";
import type { CaseHost, RunningProxy } from "./host.js";

export const node: CaseHost = {
  name: "node",
  store: "custom",
  client: "127.0.0.1",
  atOnce: 8,
  measuredAtOnce: 4,
  added: [],
  authority: (port) => `127.0.0.1:${port}`,
  start: async (settings, entry): Promise<RunningProxy> => {
    const kept = new Map(entry === undefined ? [] : [[entry.key, entry.value]]);
    const store = {
      get: async (key: string) => kept.get(key),
      put: async (key: string, value: string) => {
        kept.set(key, value);
      },
    };
    const said: string[] = [];
    const log = (line: string) => said.push(line);
    const handler = createNodeHandler({ env: Object.fromEntries(settings), store, log });
    const server = createServer(handler);
    const port = await listenAnywhere(server);
    return {
      port,
      said,
      read: async (key) => kept.get(key),
      stop: async () => {
        server.close();
        server.closeAllConnections();
        await handler.close();
      },
    };
  },
};
