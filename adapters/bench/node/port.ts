/** How a process of the benchmark reports its port. */

import type { Server } from "node:net";

/** Listens on any free port and prints it. */
export function sayPort(server: Server): void {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object") process.stdout.write(`${address?.port}\n`);
  });
}
