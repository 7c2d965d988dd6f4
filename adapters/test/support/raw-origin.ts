/** An origin below HTTP: it sees requests as bytes, and answers with bytes. */

import { createServer, type Socket } from "node:net";
import type { TestContext } from "node:test";
import { listenAnywhere } from "./port.js";

/** The state of a connection of a raw origin. */
export interface RawConnection {
  readonly socket: Socket;
  /** How many connections came before. */
  readonly index: number;
  /** All that has arrived so far, in Latin-1. */
  text: string;
}

export interface RawOrigin {
  readonly port: number;
  readonly url: string;
  readonly connections: RawConnection[];
}

/** `onData` gets each chunk as it arrives. It ends with the test. */
export async function startRawOrigin(
  t: TestContext,
  onData: (connection: RawConnection) => void,
): Promise<RawOrigin> {
  const connections: RawConnection[] = [];
  const server = createServer((socket) => {
    const connection: RawConnection = { socket, index: connections.length, text: "" };
    connections.push(connection);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      connection.text += bytes.toString("latin1");
      onData(connection);
    });
  });
  const port = await listenAnywhere(server);
  t.after(() => {
    server.close();
    for (const { socket } of connections) socket.destroy();
  });
  return { port, url: `http://127.0.0.1:${port}`, connections };
}

/** Answers each whole request on a connection with these bytes. */
export function answering(answer: string | ((head: string) => string)) {
  return (connection: RawConnection): void => {
    for (;;) {
      const end = connection.text.indexOf("\r\n\r\n");
      if (end < 0) return;
      const head = connection.text.slice(0, end);
      const after = endOfBody(head, connection.text, end + 4);
      if (after === undefined || after > connection.text.length) return;
      connection.text = connection.text.slice(after);
      const bytes = typeof answer === "string" ? answer : answer(head);
      connection.socket.write(bytes, "latin1");
    }
  };
}

/** Where a request ends whose head ends at `at`; nothing while that is not known. */
function endOfBody(head: string, text: string, at: number): number | undefined {
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (length !== undefined) return at + Number(length);
  if (!/^transfer-encoding:/im.test(head)) return at;
  const last = text.indexOf("0\r\n\r\n", at);
  return last < 0 ? undefined : last + 5;
}
