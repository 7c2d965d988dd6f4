/** Nothing is passed on in part. */

import assert from "node:assert/strict";
import { Conversation, send } from "../support/client.js";
import { startOrigin } from "../support/origin.js";
import { startRawOrigin } from "../support/raw-origin.js";
import { eventually, sleep } from "../support/waiting.js";
import { inEach, routineTo, startRoutine } from "./scene.js";

/** Whether a raw origin got a request that looks complete. */
const WHOLE = /\r\n\r\n(?:[\s\S]*\r\n)?0\r\n\r\n$|content-length: 0\r\n[\s\S]*\r\n\r\n$/i;

inEach("a_body_that_breaks_off_at_its_beginning_never_looks_complete", async (t, runtime) => {
  const origin = await startRawOrigin(t, () => {});
  const routine = await startRoutine(t, {
    runtime,
    env: { FETCH_TARGETS: `http://localhost:${origin.port}`, FETCH_CACHE_ADAPTER: "none" },
  });
  const breaks: ((client: Conversation) => unknown)[] = [
    (client) => client.wire.reset(),
    (client) => client.wire.close(),
    (client) => client.wire.write("0x3\r\nabc\r\n0\r\n\r\n"),
  ];
  for (const broken of breaks) {
    for (const pause of [0, 50]) {
      const client = await Conversation.open(routine.port, {
        method: "POST",
        headers: [["transfer-encoding", "chunked"]],
      });
      await sleep(pause);
      await broken(client);
      await sleep(100);
      client.wire.close();
    }
  }
  await eventually("all are broken off", () =>
    origin.connections.every((one) => one.socket.closed),
  );
  for (const { text } of origin.connections) assert.doesNotMatch(text, WHOLE);
});

inEach("a_probe_reads_a_short_body_to_its_end", async (t, runtime) => {
  const health = { body: "x".repeat(60_000) };
  const a = await startOrigin(t, { behaviour: { health } });
  const b = await startOrigin(t, { behaviour: { health } });
  const routine = await routineTo(t, runtime, [a, b]);
  assert.equal((await send(routine.port)).status, 200);
  await eventually("both are probed", () => a.probes.length > 0 && b.probes.length > 0);
  await sleep(300);
  assert.ok([...a.probes, ...b.probes].every(({ abandoned }) => !abandoned));
});
