/** What the desk makes of a server's words about channels that the application has just left. */
import { expect, test } from "vitest";
import { createClient, type Item } from "../../src/client/mod.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { scriptedSockets } from "./scripted-socket.ts";

const epoch = "e1";
const changed = (seq: number, prev: number) => ({
  type: "event",
  room: "doc:a",
  event: "doc.changed",
  id: `m${seq}`,
  timestamp: "2026-01-01T00:00:00.000Z",
  data: {},
  seq,
  prev,
  epoch,
});

test("Desk tells a wildcard of the gap of a channel that is left before it was joined", async () => {
  const sockets = scriptedSockets();
  const client = createClient({ url: "ws://bench", WebSocket: sockets.WebSocket, clock: new FakeClock() });
  const items: Item[] = [];
  const all = client.subscribe("doc:*", { since: { epoch, seq: 3 } });
  const reading = (async () => {
    for await (const item of all) items.push(item);
  })();
  const one = client.subscribe("doc:a", { since: { epoch, seq: 1 } });
  const socket = sockets.newest();
  socket.open();
  const [joinOne, joinAll] = socket.take();
  expect([joinOne!.data.channel, joinAll!.data.channel]).toEqual(["doc:a", "doc:*"]);
  // The application leaves while the server, which does not know it yet, brings what follows the gap.
  one.close();
  socket.answers(joinOne!, { status: "subscribed", channel: "doc:a", epoch, seq: 8, recovered: false });
  socket.says({
    type: "event",
    event: "gap",
    room: "doc:a",
    data: { from: 1, to: 8, cause: "history" },
    seq: 8,
    epoch,
  });
  socket.says(changed(9, 8));
  socket.answers(joinAll!, { status: "subscribed", channel: "doc:*", epoch, seq: 9, recovered: true });
  // What the wildcard's own replay brings of it comes too late to be told in order.
  for (const seq of [7, 8]) socket.says(changed(seq, seq - 1));
  socket.answers(socket.take()[0]!);
  socket.says(changed(10, 9));
  client.close();
  await reading;
  expect(items.map((item) => item.type === "gap" ? [item.channel, item.from, item.to] : item.seq))
    .toEqual([["doc:a", 1, 8], 9, 10]);
});
