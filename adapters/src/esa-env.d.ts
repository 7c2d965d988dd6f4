import type { Settings } from "./settings.js";

/** What `npm run gen:esa-env` found, in a file that git does not know. */
export const BAKED: Settings;
