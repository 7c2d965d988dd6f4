/**
 * The pictures of the documentation. Called by `cargo xtask playground --screenshots`:
 *
 *     npm run screenshots:playground -- BUILT_PAGE FOLDER
 */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { launch } from "../support/browser.js";
import { serve } from "./site.js";

/** What is on them: C hangs 40 s after the start, and is back at two minutes. */
const FRAGMENT = "#preset=hangs&seed=1";
const STEPS = 9;

const VIEWPORT = { width: 1200, height: 1240 };
const PICTURES = [
  { name: "playground", language: "en" },
  { name: "playground-zh", language: "zh" },
] as const;

const [built, folder, ...rest] = process.argv.slice(2);
if (built === undefined || folder === undefined || rest.length > 0) {
  console.error("usage: npm run screenshots:playground -- BUILT_PAGE FOLDER");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });
const site = await serve(built);
const browser = await launch();
try {
  for (const { name, language } of PICTURES) {
    const page = await browser.newPage({ viewport: VIEWPORT, reducedMotion: "reduce" });
    await page.goto(`${site.url}${FRAGMENT}&lang=${language}`);
    await page.locator("#playground").waitFor({ state: "visible" });
    for (let n = 0; n < STEPS; n += 1) await page.locator("#step").click();
    // As one finds it, and not as the last click left it.
    await page.mouse.move(0, 0);
    await page.evaluate(() => scrollTo(0, 0));
    const path = join(folder, `${name}.png`);
    // A few colours are enough, at a fifth of the size.
    await sharp(await page.screenshot())
      .png({ palette: true, colours: 128, effort: 10 })
      .toFile(path);
    console.log(path);
    await page.close();
  }
} finally {
  await browser.close();
  site.close();
}
