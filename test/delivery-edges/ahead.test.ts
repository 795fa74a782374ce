import { expect, it, onTestFinished } from "vitest";
import { SessionBuddyWebSocketServer } from "../../services/session-buddy/mod.ts";
import { startService } from "../suite/running-service.ts";
import { Listener, Requester } from "./listener.ts";

/** The gap's frame that a listener was sent. */
const gaps = ({ strange }: Listener) =>
  strange.filter(({ event }) => event === "gap").map(({ data }) => data);

it("a client whose position lies ahead of the server is told the state, and of no gap that ends before it begins", async () => {
  const service = await startService({ name: "session-buddy", Server: SessionBuddyWebSocketServer });
  onTestFinished(() => service.stop());
  const requester = await Requester.open(service.url);
  const update = (n: number) => requester.request("update_session", { session_id: "s", context: { n } });
  await requester.request("start_session", { session_id: "s", project: "edges" });
  await update(1);
  const now = new Listener(service.url, "session:s");
  const head = await now.subscribed;

  const ahead = new Listener(service.url, "session:s", {
    since: { epoch: head.epoch, seq: head.seq + 1_000 },
  });
  expect(await ahead.subscribed).toMatchObject({
    recovered: false,
    epoch: head.epoch,
    seq: head.seq,
    snapshot: { version: 2, context: { n: 1 } },
  });
  await update(2);
  await ahead.until(({ length }) => length > 0);
  expect(gaps(ahead)).toEqual([{ from: head.seq, to: head.seq, cause: "ahead" }]);
  // What comes now is live, though its seq is below the one that the client had.
  expect(ahead.events.map(({ data }) => data.changes)).toEqual([{ n: 2 }]);
  expect(ahead.events[0]!.seq).toBeGreaterThan(head.seq);

  // At the head there is nothing to tell.
  const { epoch, seq } = ahead.position;
  const upToDate = new Listener(service.url, "session:s", { since: { epoch, seq } });
  expect(await upToDate.subscribed).toMatchObject({ recovered: true });
  await update(3);
  await upToDate.until(({ length }) => length > 0);
  expect(gaps(upToDate)).toEqual([]);
  expect(upToDate.events.map(({ data }) => data.changes)).toEqual([{ n: 3 }]);
  for (const client of [now, ahead, upToDate, requester]) await client.close();
});
