/** A real Chromium, where there is one. */

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The program in the variable `CHROMIUM`, or on PATH. */
export function chromiumPath(): string | undefined {
  const named = process.env.CHROMIUM;
  if (named !== undefined && named !== "") return named;
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isProgram);
}

/** What a test that needs it says when there is none. */
export const NO_CHROMIUM: string | false =
  chromiumPath() === undefined && "there is no chromium on PATH";

export function launch(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (executablePath === undefined) throw new Error("there is no chromium on PATH; set CHROMIUM");
  // Its sandbox needs user namespaces, which containers lack; it opens our own page only.
  return chromium.launch({ executablePath, args: ["--no-sandbox"] });
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
