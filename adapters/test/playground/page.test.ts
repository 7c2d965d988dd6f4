/** The page in a real browser. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { launch, NO_CHROMIUM } from "../support/browser.js";
import { eventually } from "../support/waiting.js";
import { builtFolder, type Site, serve } from "./site.js";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const PHONE = { width: 360, height: 740 };

const skip = NO_CHROMIUM;
let site: Site;
let browser: Browser;

before(async () => {
  if (skip !== false) return;
  site = await serve(builtFolder());
  browser = await launch();
});

after(async () => {
  await browser?.close();
  site?.close();
});

interface Opened {
  page: Page;
  /** What went wrong: errors, what the policy of content forbade, what was not found. */
  troubles: string[];
}

/** Opens the page, and waits until the simulator runs. Time stands still unless `plays`. */
async function open(
  fragment: string,
  { plays = false, ...options }: BrowserContextOptions & { plays?: boolean } = {},
): Promise<Opened> {
  const reducedMotion = plays ? "no-preference" : "reduce";
  const context = await browser.newContext({ locale: "en-US", reducedMotion, ...options });
  const page = await context.newPage();
  const troubles: string[] = [];
  page.on("pageerror", (error) => troubles.push(error.message));
  page.on("console", (line) => {
    if (line.type() === "error") troubles.push(line.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(site.url)) troubles.push(request.url());
  });
  await page.goto(`${site.url}${fragment}`);
  await page.locator("#playground").waitFor({ state: "visible" });
  return { page, troubles };
}

async function close({ page, troubles }: Opened): Promise<void> {
  await page.context().close();
  assert.deepEqual(troubles, []);
}

async function textOf(place: Locator): Promise<string> {
  return (await place.textContent()) ?? "";
}

function figure(page: Page, policy: string, name: string): Promise<string> {
  return textOf(page.locator(`[data-policy="${policy}"] [data-figure="${name}"]`));
}

/** The share of the requests that went to a target in the last ten seconds, in percent. */
async function share(page: Page, policy: string, target: string): Promise<number> {
  const text = await figure(page, policy, "requests");
  return Number(new RegExp(`${target} ([\\d.]+)%`).exec(text)?.[1] ?? 0);
}

async function seconds(page: Page): Promise<number> {
  const [minutes, rest] = (await textOf(page.locator("#time"))).split(":");
  return Number(minutes) * 60 + Number(rest);
}

/** Lets ten seconds pass, so often. */
async function step(page: Page, times: number): Promise<void> {
  for (let n = 0; n < times; n += 1) await page.locator("#step").click();
}

async function violations(page: Page): Promise<string[]> {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  // By the debugger, which the page's policy of content does not bind.
  const session = await page.context().newCDPSession(page);
  await session.send("Runtime.evaluate", { expression: await readFile(AXE, "utf8") });
  const { result } = await session.send("Runtime.evaluate", {
    expression: `axe.run({ runOnly: ${JSON.stringify(tags)} }).then(({ violations, passes }) =>
      JSON.stringify([passes.length, ...violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" "))]))`,
    awaitPromise: true,
  });
  const [passes, ...found]: [number, ...string[]] = JSON.parse(String(result.value));
  assert.ok(passes > 20, "axe has looked at the page");
  return found;
}

test("page_loads_and_time_passes", { skip }, async () => {
  const opened = await open("#preset=steady", { plays: true });
  const { page } = opened;
  await page.locator("#speed").selectOption("60");
  const from = await seconds(page);
  await eventually("a minute has passed", async () => (await seconds(page)) > from + 60);
  assert.match(await figure(page, "ours", "p50"), /^\d+ ms$/);
  assert.equal(await figure(page, "ours", "errors"), "0%");

  await page.getByRole("button", { name: "Pause" }).click();
  const paused = await seconds(page);
  await page.waitForTimeout(300);
  assert.equal(await seconds(page), paused);
  await page.getByRole("button", { name: "Play" }).click();
  await eventually("time goes on", async () => (await seconds(page)) > paused);
  await close(opened);
});

test("page_shows_how_a_fault_moves_our_traffic_and_not_that_of_turns", { skip }, async () => {
  // From the start C is clearly the nearest.
  const opened = await open("#preset=steady&policies=ours,round-robin&changes=0b.120");
  const { page } = opened;
  await step(page, 1);
  assert.ok((await share(page, "ours", "C")) > 90, await figure(page, "ours", "requests"));
  await page.getByLabel("Fault of C").selectOption("slow");
  await step(page, 3);
  assert.ok((await share(page, "ours", "C")) < 5, await figure(page, "ours", "requests"));
  assert.ok((await share(page, "round-robin", "C")) > 15);
  assert.match(await textOf(page.locator("#told")), /C/);
  await close(opened);
});

test("page_draws_who_gets_the_requests", { skip }, async () => {
  const opened = await open("#preset=steady&policies=ours,round-robin", { colorScheme: "light" });
  const colours = (policy: string) =>
    opened.page.locator(`[data-policy="${policy}"] canvas.shares`).evaluate((canvas) => {
      const { width, height } = canvas as HTMLCanvasElement;
      const context = (canvas as HTMLCanvasElement).getContext("2d");
      const data = context?.getImageData(width - 2, 0, 1, height).data ?? [];
      const column = new Set<string>();
      for (let at = 0; at < data.length; at += 4) column.add(data.slice(at, at + 3).join());
      return [...column];
    });
  // B and C are near each other, and each location has one of them; turns have all five.
  assert.ok((await colours("ours")).includes("0,158,115"));
  for (const colour of ["0,114,178", "224,160,0", "0,158,115", "210,105,159", "111,75,184"]) {
    assert.ok((await colours("round-robin")).includes(colour), colour);
  }
  await close(opened);
});

test("page_has_the_same_figures_for_the_same_link", { skip }, async () => {
  const made = await open("#preset=hangs&seed=5");
  await made.page.getByLabel("Round trip of A").focus();
  await made.page.keyboard.press("Home");
  await step(made.page, 1);
  await made.page.getByLabel("Fault of B").selectOption("fail-requests");
  await step(made.page, 3);
  const figures = (page: Page) => textOf(page.locator("#policies"));
  const told = (page: Page) => textOf(page.locator("#told"));
  await eventually("the link is written", () => made.page.url().includes("b.fail-requests"));
  const shown = await open(new URL(made.page.url()).hash);
  await step(shown.page, 4);
  assert.equal(await figures(shown.page), await figures(made.page));
  assert.equal(await told(shown.page), await told(made.page));
  assert.equal(await shown.page.getByLabel("Round trip of A").inputValue(), "5");
  await close(made);
  await close(shown);
});

test("page_works_by_keyboard_alone", { skip }, async () => {
  const opened = await open("#preset=steady");
  const { page } = opened;
  const focused = () =>
    page.evaluate(() => {
      const element = document.activeElement;
      return element?.getAttribute("aria-label") ?? element?.textContent ?? "";
    });
  const tabTo = async (name: string) => {
    for (let n = 0; n < 40; n += 1) {
      await page.keyboard.press("Tab");
      if ((await focused()) === name) return;
    }
    assert.fail(`Tab does not come to ${name}`);
  };
  await tabTo("Brown-out");
  await page.keyboard.press("Enter");
  assert.match(page.url(), /preset=brown-out/);
  assert.equal(await focused(), "Brown-out", "the focus stays");
  await tabTo("+10 s");
  await page.keyboard.press("Space");
  assert.equal(await seconds(page), 30);
  await tabTo("Round trip of C");
  await page.keyboard.press("ArrowRight");
  await tabTo("Fault of C");
  await page.keyboard.press("ArrowDown");
  await eventually("both are in the link", () => /c\.45,\d+c\.slow/.test(page.url()));
  await close(opened);
});

test("page_starts_again_with_another_seed_and_other_policies", { skip }, async () => {
  const opened = await open("#preset=steady");
  const { page } = opened;
  await step(page, 2);
  await page.getByLabel("Seed").fill("-3");
  await page.keyboard.press("Enter");
  assert.match(await textOf(page.locator("#message")), /whole number/);
  await page.getByLabel("Seed").fill("77");
  await page.keyboard.press("Enter");
  assert.equal(await seconds(page), 20);
  assert.match(page.url(), /seed=77/);
  await page.locator("summary").click();
  await page.getByLabel("Oracle").focus();
  await page.keyboard.press("Space");
  assert.ok(await page.getByLabel("Oracle").evaluate((box) => box === document.activeElement));
  assert.match(page.url(), /policies=.*oracle/);
  assert.match(await figure(page, "oracle", "p50"), /ms/);
  await page.getByLabel("Instances live").selectOption("short");
  assert.match(page.url(), /instances=short/);
  await close(opened);
});

test("page_names_what_a_link_says_in_vain", { skip }, async () => {
  const opened = await open("#preset=<b>x</b>&seed=x&changes=1z.5");
  const message = await textOf(opened.page.locator("#message"));
  assert.match(message, /preset=<b>x<\/b>, seed=x, 1z\.5/);
  assert.equal(await opened.page.getByLabel("Seed").inputValue(), "1");
  await close(opened);
});

test("page_speaks_the_language_of_the_browser_and_that_of_the_link", { skip }, async () => {
  const opened = await open("", { locale: "zh-CN" });
  const { page } = opened;
  assert.equal(await page.locator("html").getAttribute("lang"), "zh-CN");
  assert.equal(await textOf(page.locator("h1")), "Function Fetch 演练场");
  await page.getByRole("button", { name: "English" }).click();
  assert.equal(await textOf(page.locator("h1")), "Function Fetch playground");
  assert.match(page.url(), /lang=en/);
  await close(opened);
});

test("page_says_when_the_simulator_cannot_be_loaded", { skip }, async () => {
  const page = await browser.newPage({ locale: "en-US" });
  await page.route("**/*.wasm", (route) => route.fulfill({ status: 404 }));
  await page.goto(site.url);
  await page.getByText("could not be loaded").waitFor();
  await page.close();
});

const SCREENS = { desktop: { width: 1280, height: 900 }, phone: PHONE };

for (const [device, viewport] of Object.entries(SCREENS)) {
  for (const [colorScheme, language] of [
    ["light", "en"],
    ["dark", "zh"],
  ] as const) {
    test(`page_is_accessible_${device}_${colorScheme}_${language}`, { skip }, async () => {
      const opened = await open(`#preset=hangs&lang=${language}`, { colorScheme, viewport });
      const { page } = opened;
      await step(page, 3);
      await page.locator("summary").click();
      assert.deepEqual(await violations(page), []);
      const widest = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.equal(widest, viewport.width, "nothing is wider than the screen");
      await close(opened);
    });
  }
}
