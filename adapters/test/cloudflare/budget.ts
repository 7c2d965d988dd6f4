/** What Function Fetch may cost on Workers: docs/decisions/0005-byte-budget.md. */

/** The whole upload, gzipped, bytes. */
export const MAX_UPLOAD = 130_000;

/** CPU until the first response beyond a bare Worker's, ms: wide, since a slow machine takes twice as long as a quick one. */
export const MAX_STARTUP = 40;
