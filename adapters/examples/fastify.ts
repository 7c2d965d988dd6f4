/**
 * Fastify with its own routes, and everything else from the fastest target:
 *
 *     FETCH_TARGETS="https://a.example https://b.example" npx tsx examples/fastify.ts
 */

import fastify from "fastify";
import { createNodeHandler } from "function-fetch/node";

const proxy = createNodeHandler();
const app = fastify();

app.get("/healthz", async () => "ok");

// In a separate context, where Fastify leaves bodies unread for the proxy to pass on.
app.register(async (proxied) => {
  proxied.removeAllContentTypeParsers();
  proxied.addContentTypeParser("*", (_request, _payload, done) => done(null));
  proxied.all("/*", (request, reply) => {
    reply.hijack();
    return proxy(request.raw, reply.raw);
  });
});
app.server.on("upgrade", proxy.upgrade);
app.addHook("onClose", () => proxy.close());

await app.listen({ port: Number(process.env.PORT ?? 3000) });
