/** What Function Fetch may cost on Workers: docs/decisions/0005-byte-budget.md. */

/** All that is uploaded, gzipped, bytes. */
export const MAX_UPLOAD = 80_000;

/** CPU until the first response beyond what a bare Worker takes, ms. */
export const MAX_STARTUP = 15;
