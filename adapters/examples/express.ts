/**
 * Express with its own routes, and everything else from the fastest target:
 *
 *     FETCH_TARGETS="https://a.example https://b.example" npx tsx examples/express.ts
 *
 * No body parser may stand before the handler: it passes bodies on as they come.
 */

import express from "express";
import { createNodeHandler } from "function-fetch/node";

const proxy = createNodeHandler();
const app = express();

app.get("/healthz", (_request, response) => {
  response.send("ok");
});
app.post("/own", express.json(), (request, response) => {
  response.json({ received: request.body });
});
app.use(proxy);

const server = app.listen(Number(process.env.PORT ?? 3000));
server.on("upgrade", proxy.upgrade);

process.once("SIGTERM", () => {
  proxy.closeWebSockets();
  server.close(() => {
    void proxy.close();
  });
});
