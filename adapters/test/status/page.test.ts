/** The page in a real Chromium. */

import assert from "node:assert/strict";
import { after, type TestContext, test } from "node:test";
import axe from "axe-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import type { RunningProxy } from "../node/proxy.js";
import { launch, NO_CHROMIUM } from "../support/browser.js";
import { send } from "../support/client.js";
import { type Origin, startOrigin } from "../support/origin.js";
import { eventually } from "../support/waiting.js";
import { PATH, startWithPage, status, statusJson, TOKEN } from "./scene.js";

const skip = NO_CHROMIUM;

let browser: Promise<Browser> | undefined;

after(async () => (await browser)?.close());

interface Opened {
  readonly page: Page;
  /** The addresses that it has asked for. */
  readonly asked: string[];
  /** What it complained of. */
  readonly errors: string[];
}

/** The page of a proxy, signed in unless `token` is another one. */
async function open(
  t: TestContext,
  { url }: RunningProxy,
  options: BrowserContextOptions & { readonly token?: string | undefined } = {},
): Promise<Opened> {
  const { token = TOKEN, ...rest } = options;
  browser ??= launch();
  const context = await (await browser).newContext({ locale: "en-GB", ...rest });
  t.after(() => context.close());
  const page = await context.newPage();
  const asked: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => asked.push(request.url()));
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("dialog", (dialog) => errors.push(`a dialog: ${dialog.message()}`));
  await page.goto(url + PATH);
  await page.fill("#token", token);
  await page.click("main button");
  if (token === TOKEN) await page.waitForSelector("#targets");
  // The sign-in form comes with a 401, which Chromium reports.
  errors.length = 0;
  return { page, asked, errors };
}

/** A fast target, a slow one, and one that is dead. */
async function busy(t: TestContext): Promise<{ proxy: RunningProxy; origins: Origin[] }> {
  const origins = [await startOrigin(t), await startOrigin(t), await startOrigin(t)];
  const [, slow, dead] = origins as [Origin, Origin, Origin];
  await slow.behave({ health: { delay: 40 } });
  await dead.behave({ dead: true });
  const targets = origins.map(({ url }) => url);
  const proxy = await startWithPage(t, targets, { env: { FETCH_EXPLAIN: "perhaps" } });
  await send(proxy.port);
  await eventually("every target is probed", async () => {
    const told = (await statusJson(proxy)) as { targets: { recent: unknown[] }[] };
    return told.targets.every(({ recent }) => recent.length > 0);
  });
  return { proxy, origins };
}

/** The text of the first of these elements. */
async function textOf(page: Page, selector: string): Promise<string> {
  return (await page.locator(selector).first().textContent()) ?? "";
}

/** A span as the page shows it. */
function shown(us: number): string {
  return us < 10_000 ? `${us} µs` : `${Math.floor(us / 1000)} ms`;
}

async function axeFinds(page: Page): Promise<string[]> {
  // Not as a script of the page: its policy forbids that.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => window.axe.run());
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

declare global {
  interface Window {
    axe: typeof axe;
  }
}

test("the_form_signs_in_and_out", { skip }, async (t) => {
  const { proxy } = await busy(t);
  const { page } = await open(t, proxy, { token: "wrong" });
  assert.match(await textOf(page, "[role=alert]"), /not the token/);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "token");
  assert.deepEqual(await axeFinds(page), []);
  await page.fill("#token", TOKEN);
  await page.keyboard.press("Enter");
  await page.waitForSelector("#targets");
  assert.equal(page.url(), proxy.url + PATH);
  const [cookie] = await page.context().cookies();
  assert.ok(cookie !== undefined);
  const { httpOnly, sameSite, path, secure, expires, value } = cookie;
  assert.deepEqual(
    { httpOnly, sameSite, path, secure, expires },
    { httpOnly: true, sameSite: "Strict", path: PATH, secure: false, expires: -1 },
  );
  assert.ok(!value.includes(TOKEN));
  await page.click("text=Sign out");
  await page.waitForSelector("#token");
  assert.deepEqual(await page.context().cookies(), []);
});

test("the_page_has_what_the_json_has_with_and_without_javascript", { skip }, async (t) => {
  const { proxy } = await busy(t);
  for (const javaScriptEnabled of [true, false]) {
    const { page } = await open(t, proxy, { javaScriptEnabled });
    const told = (await statusJson(proxy)) as {
      targets: { target: string; primary: boolean; latency_us?: number; health: string }[];
      settings: { setting: string; value: unknown }[];
      events: unknown[];
    };
    const rows = await page.locator("#targets tbody tr").allTextContents();
    assert.equal(rows.length, told.targets.length);
    for (const [at, { target, primary, latency_us, health }] of told.targets.entries()) {
      const row = rows[at] ?? "";
      assert.ok(row.includes(target), row);
      assert.equal(row.includes("Primary"), primary, row);
      if (latency_us !== undefined) assert.ok(row.includes(shown(latency_us)), row);
      assert.equal(row.includes("Healthy"), health === "healthy", row);
      assert.equal(row.includes("Out"), ["ejected", "awaits_probe"].includes(health), row);
    }
    assert.match(rows.at(-1) ?? "", /The health path did not answer: connection_refused\. /);
    assert.equal(await page.locator("#events li").count(), told.events.length);
    assert.match(await textOf(page, "#warnings"), /FETCH_EXPLAIN: "perhaps"/);
    await page.click("summary");
    const settings = await textOf(page, "#settings tbody");
    for (const { setting, value } of told.settings) {
      assert.match(settings, new RegExp(`${setting}${String(value).replace("*", "\\*")}`));
    }
    assert.ok(!settings.includes(TOKEN));
  }
});

test("axe_finds_nothing_in_any_colours_at_any_width_in_either_language", { skip }, async (t) => {
  const { proxy } = await busy(t);
  for (const [colorScheme, width, locale] of [
    ["light", 1280, "en-GB"],
    ["dark", 1280, "zh-CN"],
    ["light", 360, "zh-CN"],
    ["dark", 360, "en-GB"],
  ] as const) {
    const viewport = { width, height: 900 };
    const { page, errors } = await open(t, proxy, { colorScheme, viewport, locale });
    await page.click("summary");
    assert.deepEqual(await axeFinds(page), [], `${colorScheme} ${width} ${locale}`);
    assert.equal(
      await page.locator("html").getAttribute("lang"),
      locale === "zh-CN" ? locale : "en",
    );
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(overflow <= width, `${overflow} px wide at ${width}`);
    assert.deepEqual(errors, []);
  }
});

test("the_keyboard_reaches_everything", { skip }, async (t) => {
  const { proxy } = await busy(t);
  const { page } = await open(t, proxy);
  const reached: string[] = [];
  for (let presses = 0; presses < 3; presses += 1) {
    await page.keyboard.press("Tab");
    reached.push(await page.evaluate(() => document.activeElement?.textContent?.trim() ?? ""));
  }
  assert.deepEqual(reached, ["Pause", "Sign out", "Settings in force"]);
  const outline = await page.evaluate(() => {
    const element = document.activeElement;
    return element === null ? "" : getComputedStyle(element).outlineStyle;
  });
  assert.equal(outline, "solid");
  await page.keyboard.press("Enter");
  assert.ok(await page.locator("#settings table").isVisible());
});

test("the_page_stays_current_unless_it_is_paused", { skip }, async (t) => {
  const { proxy, origins } = await busy(t);
  const { page, errors } = await open(t, proxy);
  const health = () => textOf(page, "#targets tbody tr");
  assert.match(await health(), /Healthy/);
  const first = await textOf(page, "#targets tbody th .name");
  await page.click("text=Pause");
  const dying = origins.find(({ url }) => url === first);
  await dying?.behave({ dead: true });
  await send(proxy.port);
  await page.waitForTimeout(6_000);
  assert.equal(await textOf(page, "#targets tbody th .name"), first);
  await page.click("text=Continue");
  await page
    .locator("#targets tbody tr", { hasText: first })
    .locator(".bad")
    .waitFor({ timeout: 15_000 });
  assert.notEqual(await textOf(page, "#targets tbody th .name"), first);
  assert.deepEqual(errors, []);
});

test("nothing_is_loaded_from_elsewhere_and_nothing_reaches_a_target", { skip }, async (t) => {
  const { proxy, origins } = await busy(t);
  const before = origins.map(({ seen }) => seen.length);
  const { page, asked, errors } = await open(t, proxy);
  await page.waitForTimeout(6_000);
  const elsewhere = asked.filter((url) => url !== proxy.url + PATH && url !== "data:,");
  assert.deepEqual([elsewhere, errors], [[], []]);
  assert.ok(asked.length >= 4, "it has refreshed itself");
  assert.deepEqual(
    origins.map(({ seen }) => seen.length),
    before,
  );
});

test("hostile_values_of_targets_clients_and_the_store_are_text", { skip }, async (t) => {
  const hostile = `"><script>alert(1)</script><img src=x onerror=alert(2)>`;
  const fields = [
    ["x-cache", `HIT ${hostile}`],
    ["server", hostile],
    ["retry-after", hostile],
    ["location", `javascript:alert(3)`],
  ] as const;
  const first = await startOrigin(t);
  const second = await startOrigin(t);
  for (const origin of [first, second]) {
    await origin.behave({
      health: { headers: fields, body: hostile },
      answers: [{ status: 503, headers: fields, body: hostile }],
    });
  }
  const names = [`${first.url}/'onmouseover='alert(4)`, `${second.url}/&lt;b&gt;`];
  const proxy = await startWithPage(t, names, {
    store: { get: async () => `${hostile}{"v":1}`, put: async () => {} },
    env: {
      FETCH_HEALTH_PATH: `/${hostile}`,
      FETCH_CACHE_KEY: hostile,
      FETCH_RETRY_METHODS: hostile,
    },
  });
  for (let request = 0; request < 8; request += 1) {
    await send(proxy.port, {
      path: `/?${encodeURIComponent(hostile)}`,
      headers: [
        ["user-agent", hostile],
        ["cookie", `function-fetch-status=${hostile}`],
      ],
    });
  }
  const { page, errors } = await open(t, proxy);
  await page.goto(`${proxy.url}${PATH}?${encodeURIComponent(hostile)}`);
  await page.click("#settings summary");
  const foreign = await page.evaluate(
    () => document.querySelectorAll("img, iframe, script[src], a, [onerror], [onmouseover]").length,
  );
  assert.equal(foreign, 0);
  assert.equal(await page.locator("script").count(), 1);
  const text = await textOf(page, "main");
  for (const shown of [...names, hostile]) assert.ok(text.includes(shown), `${shown} in ${text}`);
  assert.deepEqual(errors, []);
  // A client's fields are nowhere in it.
  const { body } = await status(proxy, "text/html", [["accept-language", hostile]]);
  assert.match(body.toString(), /<html lang="en">/);
});

test("32_targets_with_long_names_are_readable_on_a_phone", { skip }, async (t) => {
  const names = Array.from(
    { length: 32 },
    (_, at) => `http://127.0.0.1:9/${"long-".repeat(400)}${at}`,
  );
  const proxy = await startWithPage(t, names);
  await send(proxy.port);
  const { page } = await open(t, proxy, { viewport: { width: 360, height: 740 } });
  await page.locator("#targets tbody .bad").first().waitFor({ timeout: 15_000 });
  const measures = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    heights: [...document.querySelectorAll("#targets tbody tr")].map((row) => row.clientHeight),
  }));
  assert.ok(measures.width <= 360, `${measures.width} px wide`);
  assert.equal(measures.heights.length, 32);
  assert.ok(Math.max(...measures.heights) < 370, `half a screen at most: ${measures.heights}`);
  // Each is told from the others, and the whole of it can be had.
  const shown = await page.locator("#targets tbody th summary").allTextContents();
  assert.equal(new Set(shown).size, 32);
  await page.locator("#targets tbody th summary").first().click();
  const first = await textOf(page, "#targets tbody th details");
  assert.ok(
    names.some((name) => first.includes(name)),
    first,
  );
  assert.deepEqual(await axeFinds(page), []);
});
