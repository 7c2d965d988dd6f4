/**
 * Makes the pictures of the status page in `docs/images`, of a proxy that runs here with origins that are slow, fail
 * and are dead:
 *
 *     npm run screenshots
 *
 * Needs Chromium, and for Chinese a font that has it (Debian: `chromium`, `fonts-noto-cjk`).
 */

import { mkdirSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import sharp from "sharp";
import { createNodeHandler } from "../src/node/index.js";
import { launch } from "../test/support/browser.js";

const FOLDER = join(import.meta.dirname, "..", "..", "docs", "images");
const PATH = "/-/status";
const TOKEN = "a token for the pictures";

/** For how long there are requests, and how often, ms: long enough for a few rounds of probes. */
const TRAFFIC = 45_000;
const EVERY = 60;

/** What is photographed. */
const PICTURES = [
  { name: "status-light", colorScheme: "light", locale: "en-GB", width: 1180 },
  { name: "status-zh", colorScheme: "light", locale: "zh-CN", width: 1180 },
  { name: "status-phone", colorScheme: "dark", locale: "en-GB", width: 390 },
] as const;

/** An origin that takes so long, give or take a third, and answers with what `status` says. */
async function origin(ms: number, status: () => number = () => 200): Promise<[Server, number]> {
  const server = createServer((request, response) => {
    const isProbe = request.url?.endsWith("/health") === true;
    setTimeout(
      () => response.writeHead(isProbe ? 200 : status()).end(),
      ms * (0.8 + 0.4 * Math.random()),
    );
  });
  return [server, await listening(server)];
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

let failing = false;
const origins = [
  await origin(14, () => (failing ? 500 : 200)),
  await origin(38),
  await origin(95),
  await origin(61),
];
const [first, second, third, fourth] = origins.map(([, port]) => `http://127.0.0.1:${port}`);
const handler = createNodeHandler({
  env: {
    FETCH_TARGETS: [
      `${first}/us-east`,
      `${second}/eu-west`,
      `${third}/ap-south`,
      { url: `${fourth}/standby`, tier: 2 },
      // Nothing listens there.
      { url: "http://127.0.0.1:9/lab", tier: 2 },
    ],
    FETCH_HEALTH_PATH: "/health",
    FETCH_CACHE_TTL_SECONDS: 10,
    FETCH_STATUS_PATH: PATH,
    FETCH_STATUS_TOKEN: TOKEN,
  },
  log: () => {},
});
const server = createServer(handler);
const url = `http://127.0.0.1:${await listening(server)}`;

const until = performance.now() + TRAFFIC;
while (performance.now() < until) {
  failing = until - performance.now() < 4_000;
  await fetch(`${url}/`).then((response) => response.arrayBuffer());
  await sleep(EVERY);
}

const browser = await launch();
mkdirSync(FOLDER, { recursive: true });
for (const { name, colorScheme, locale, width } of PICTURES) {
  const viewport = { width, height: 800 };
  const context = await browser.newContext({ colorScheme, locale, viewport });
  const page = await context.newPage();
  await page.goto(url + PATH);
  await page.fill("#token", TOKEN);
  await page.click("main button");
  await page.waitForSelector("#targets");
  // A few colours are enough, at a fifth of the size.
  const picture = sharp(await page.screenshot({ fullPage: true }));
  await picture
    .png({ palette: true, colours: 128, effort: 10 })
    .toFile(join(FOLDER, `${name}.png`));
  await context.close();
}
await browser.close();
server.close();
server.closeAllConnections();
await handler.close();
for (const [one] of origins) one.close();
