/**
 * Feeds from services that are not what they should be, over real sockets: akosha goes on, and counts what counts once.
 */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { type WebSocket, WebSocketServer } from "ws";
import type { AkoshaContract } from "../../../services/akosha/contract.ts";
import { type AkoshaManager, akoshaService } from "../../../services/akosha/mod.ts";
import { systemClock } from "../../../src/ports/clock.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { type Started, startManager } from "../../support/started-manager.ts";

const PATIENCE = { timeout: 60_000 };

let server: WebSocketServer;
let akosha: Started<AkoshaContract, AkoshaManager>;
afterEach(async () => {
  await akosha?.stop();
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

/** How a server goes on that has just answered a subscribe. `from` is where the feed was. */
type Conduct = (ws: WebSocket, from: number) => unknown;

async function feedFrom(conduct: Conduct): Promise<void> {
  server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: true });
  await once(server, "listening");
  server.on("connection", (ws) => {
    ws.on("error", () => {});
    ws.on("message", (message) => {
      const { event, id, data } = JSON.parse(String(message));
      if (event !== "subscribe") return;
      const from = data.since?.seq ?? 0;
      const recovered = data.since ? true : undefined;
      const reply = { status: "subscribed", channel: data.channel, epoch: "e1", seq: from, recovered };
      ws.send(JSON.stringify({ type: "response", event, correlation_id: id, data: reply }));
      conduct(ws, from);
    });
  });
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const rule = { event: "count.changed", metric: "count", value: "/count", labels: { name: "/name" } };
  akosha = await startManager(akoshaService, {
    clock: systemClock,
    settings: () => ({ feeds: { other: { url, channels: { news: [rule] } } } }),
  });
}

const event = (seq: number, data: object = { count: seq }) =>
  JSON.stringify({
    type: "event",
    event: "count.changed",
    id: `i${seq}`,
    room: "news",
    data,
    timestamp: new Date().toISOString(),
    seq,
    prev: seq - 1,
    epoch: "e1",
  });

// deno-lint-ignore no-explicit-any
const feed = () => (akosha.manager.getStatus({}) as any).feeds.other as JsonObject;

test("a flood of events that breaks off and repeats itself counts each event once", async () => {
  const all = 12_000;
  await feedFrom((ws, from) => {
    for (let seq = Math.max(1, from - 50); seq <= Math.min(from + 5_000, all); seq++) ws.send(event(seq));
    if (from + 5_000 < all) ws.send("", () => ws.terminate());
  });
  await expect.poll(() => feed()["events"], PATIENCE).toBe(all);
  await expect.poll(() => feed()["positions"], PATIENCE).toEqual({ news: { epoch: "e1", seq: all } });
  expect(feed()).toMatchObject({ observations: all, late: 0, ignored: 0, gaps: 0 });
}, 120_000);

test("a flood of garbage is counted, ends its connection, and leaves akosha to its work", async () => {
  await feedFrom((ws) => {
    for (let n = 0; n < 20_000; n++) ws.send("{".repeat(n % 500));
  });
  await expect.poll(() => feed()["garbage"], PATIENCE).toBeGreaterThanOrEqual(200);
  const { recorded } = await akosha.request("record_observations", {
    observations: [{ metric: "own", value: 1 }],
  });
  expect(recorded).toBe(1);
}, 120_000);

test("a message without end, and one that is large only when it is unpacked, are not taken", async () => {
  let connections = 0;
  await feedFrom((ws, from) => {
    connections++;
    if (connections === 1) ws.send(event(1, { count: 1, padding: "x".repeat(20_000_000) }));
    else if (connections === 2) {
      const more = () => ws.send("x".repeat(60_000), { fin: false }, (error) => error || setImmediate(more));
      more();
    } else ws.send(event(from + 1));
  });
  await expect.poll(() => feed()["observations"], { timeout: 90_000 }).toBeGreaterThan(0);
  expect(connections).toBeGreaterThan(2);
}, 120_000);

test(
  "events that hold anything but what their rules look for are left out, and the others count",
  async () => {
    const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
    await feedFrom((ws) => {
      const strange = [
        {},
        { count: "1" },
        { count: null },
        { count: [1] },
        { count: { valueOf: 1 } },
        { count: 1, name: { toString: 1 } },
        { count: 2, name: "x".repeat(100_000) },
        JSON.parse('{"__proto__": {"count": 3}, "constructor": 4}'),
      ];
      strange.forEach((data, index) => ws.send(event(index + 1, data)));
      ws.send(event(9).replace('"count":9', `"count":9,"more":${nested(50_000)}`));
      ws.send(event(10).replace('"count":10', `"count":${"9".repeat(400)}`));
      ws.send(event(11));
    });
    await expect.poll(() => feed()["events"], PATIENCE).toBe(11);
    const { metrics } = await akosha.request("list_metrics", { metric: "count" });
    expect(metrics.map(({ count, labels }) => [count, labels["name"]?.length ?? 0]).sort()).toEqual([
      [1, 256],
      [
        3,
        0,
      ],
    ]);
    expect(feed()).toMatchObject({ observations: 4, ignored: 7, connected: true });
  },
  120_000,
);
