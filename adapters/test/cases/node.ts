/** Function Fetch on Node.js, behind a server of `node:http`. */

import { createServer } from "node:http";
import { createNodeHandler } from "../../src/node/index.js";
import { listenAnywhere } from "../support/port.js";
import { serve } from "./protocol.js";

await serve(async (settings, entries) => {
  const kept = new Map(Object.entries(entries));
  const store = {
    get: async (key: string) => kept.get(key),
    put: async (key: string, value: string) => {
      kept.set(key, value);
    },
  };
  const said: string[] = [];
  const log = (line: string) => said.push(line);
  const handler = createNodeHandler({ env: settings, store, log });
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
});
