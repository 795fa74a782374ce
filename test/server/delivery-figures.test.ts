/**
 * What a client learns of its own delivery: the figures of get_status, and how much it may publish ahead.
 *
 * @module
 */
import { afterEach, expect, test } from "vitest";
import { FrameClient } from "../support/frame-client.ts";
import { type Own, startOwn } from "./own-service.ts";

let own: Own | null = null;

afterEach(async () => {
  await own?.server.stop();
  own = null;
});

test("get_status shows a connection its own delivery, and nobody another's", async () => {
  own = await startOwn();
  const [client, other] = [await FrameClient.open(own.url), await FrameClient.open(own.url)];
  await client.request("subscribe", { channel: "thing:a", events: ["thing.noted"] });
  await other.request("subscribe", { channel: "thing:a" });
  await other.request("make", { thing_id: "a" });
  client.send({ type: "event", event: "thing.noted", data: { thing_id: "a", note: "mine" } });
  await client.frame(({ type }) => type === "ack");
  await other.request("publish", { event: "thing.noted", data: { thing_id: "a", note: "another's" } });
  await client.event("thing.noted");
  const bytes = (await client.request("get_status")).data.connection.delivery.bytes_sent;
  const answer = JSON.stringify(client.frames.at(-1));
  const { connection } = (await client.request("get_status")).data;
  expect(connection.delivery).toEqual({
    events_sent: 1,
    events_replayed: 0,
    bytes_sent: bytes + Buffer.byteLength(answer),
    folded: 0,
    dropped: { filter: 1, own: 1 },
    gaps: 0,
    queue_bytes: expect.any(Number),
    highest_queue_bytes: expect.any(Number),
  });
  const others = (await other.request("get_status")).data.connection;
  expect(others.connection_id).not.toBe(connection.connection_id);
  expect(others.delivery).toMatchObject({ events_sent: 3, dropped: { filter: 0, own: 0 } });
  const http = await fetch(`${own.http}/api/requests/get_status`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: "{}",
  });
  const body = await http.json();
  expect(body).toMatchObject({ service: "own", connections: 2 });
  expect(body).not.toHaveProperty("connection");
  await Promise.all([client.close(), other.close()]);
});

test.each([[undefined, 16], [5, 5]])("the welcome announces limits.publish_window: %s", async (set, told) => {
  own = await startOwn({
    websocket: { welcome: "immediate" },
    ...(set === undefined ? {} : { limits: { publish_window: set } }),
  });
  const client = await FrameClient.open(own.url);
  expect((await client.next()).data.publish_window).toBe(told);
  await client.close();
});
