import { describe, expect, it } from "vitest";
import { silentLog } from "../../src/ports/log.ts";
import { detectRuntime } from "../../src/runtimes/detect.ts";
import { createRealtime } from "../../src/server/create-realtime.ts";
import { RealtimeServer } from "../../src/server/realtime-server.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { FrameClient } from "../support/frame-client.ts";
import { get } from "../support/http-client.ts";
import { RawSocket } from "../support/raw-socket.ts";
import { MoodyBroker } from "./moody-broker.ts";
import { makeOwnService, type Own, startOwn } from "./own-service.ts";

const MINUTE = { timeout: 60_000 };

const bases = (own: Own) => [own.http, own.url.replace("ws:", "http:")];

/** A server whose time stands still and whose broker has moods. */
async function startMoody() {
  const clock = new FakeClock();
  const { createBroker, last } = MoodyBroker.maker();
  const own = await startOwn({}, {}, { clock, createBroker });
  const broker = last();
  return {
    own,
    clock,
    broker,
    /** Ask, and let the time pass that the server gives its broker. */
    async askInVain(base: string) {
      const waiting = clock.pending;
      const answer = get(`${base}/ready`);
      await expect.poll(() => clock.pending, MINUTE).toBe(waiting + 1);
      clock.advance(2_000);
      const given = await answer;
      // A verdict holds for a second.
      clock.advance(1_000);
      return given;
    },
  };
}

describe("GET /ready", () => {
  it("is 200 on both ports while events get through", async () => {
    const own = await startOwn();
    for (const base of bases(own)) {
      const answer = await get(`${base}/ready`);
      expect(answer).toMatchObject({ status: 200, body: { status: "ready", server: "own" } });
      expect(new Date(answer.body.timestamp).toISOString()).toBe(answer.body.timestamp);
    }
    await own.server.stop();
  });

  it("is 503 while the disk is full, of which requests are told, and 200 some seconds after", async () => {
    const clock = new FakeClock();
    const own = await startOwn({ storage: { path: ":memory:" } }, {}, { clock });
    const { database } = own.server.manager.context;
    const { page_count: pages } = database.prepare("PRAGMA page_count").get<{ page_count: number }>()!;
    database.exec(`PRAGMA max_page_count = ${pages}`);
    const make = async () => {
      const answer = await fetch(`${own.http}/api/requests/make`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ thing_id: "x".repeat(100) }),
      });
      return { status: answer.status, ...await answer.json() };
    };
    let made = await make();
    // What is left of the last pages.
    for (let times = 0; made.status === 200 && times < 1_000; times++) made = await make();
    expect(made).toMatchObject({
      status: 503,
      error_code: "NOT_AVAILABLE",
      error_message: "Nothing can be kept now: the server's disk is full",
    });
    const full = { status: 503, body: { reason: "Nothing can be kept: the disk is full" } };
    expect(await get(`${own.http}/ready`)).toMatchObject(full);
    clock.advance(10_000);
    expect(await get(`${own.http}/ready`)).toMatchObject({ status: 200 });
    expect(await make()).toMatchObject({ error_code: "NOT_AVAILABLE" });
    expect(await get(`${own.http}/ready`)).toMatchObject(full);
    database.exec("PRAGMA max_page_count = 100000");
    expect((await make()).status).toBe(200);
    await own.server.stop();
  });

  it("asks for no token, and minds Host and Origin", async () => {
    const own = await startOwn({ auth: { required: true, secret: "only for this test" } });
    for (const base of bases(own)) {
      expect((await get(`${base}/ready`)).status).toBe(200);
      expect((await get(`${base}/ready`, { host: "elsewhere.example" })).status).toBe(403);
      expect((await get(`${base}/ready`, { origin: "https://elsewhere.example" })).status).toBe(403);
    }
    await own.server.stop();
  });

  it("lets an upgrade at this path through on the WebSocket port", async () => {
    const own = await startOwn();
    const client = await FrameClient.open(`${own.url}/ready`);
    expect(await client.request("look")).toMatchObject({ type: "response" });
    await client.close();
    await own.server.stop();
  });

  it("is 503 on both ports while the broker loses events, with the reason, and 200 when it has recovered", async () => {
    const { own, broker, askInVain } = await startMoody();
    broker.mood = "loses";
    for (const base of bases(own)) {
      expect(await askInVain(base)).toMatchObject({
        status: 503,
        body: {
          status: "not_ready",
          server: "own",
          reason: "An event did not come back from the broker within 2 seconds",
        },
      });
      expect(await get(`${base}/health`)).toMatchObject({ status: 200, body: { status: "healthy" } });
    }
    broker.recover();
    for (const base of bases(own)) expect((await get(`${base}/ready`)).status).toBe(200);
    expect(own.log.filter((line) => line.includes("Events do not get through"))).toHaveLength(1);
    expect(own.log.filter((line) => line.includes("Events get through again"))).toHaveLength(1);
    await own.server.stop();
  });

  it("is 503 while the broker is stuck, gathers nothing there, and is 200 when it moves again", async () => {
    const { own, broker, askInVain } = await startMoody();
    broker.mood = "stuck";
    for (let round = 0; round < 3; round++) {
      expect(await askInVain(own.http)).toMatchObject({ status: 503, body: { status: "not_ready" } });
    }
    expect(broker.given).toHaveLength(1);
    broker.recover();
    expect((await get(`${own.http}/ready`)).status).toBe(200);
    await own.server.stop();
  });

  it("sends one event for all who ask at a time, and one a second at most", async () => {
    const { own, broker, clock } = await startMoody();
    const many = () =>
      Promise.all(Array.from({ length: 20 }, (_, index) => get(`${bases(own)[index % 2]}/ready`)));
    for (const { status } of await many()) expect(status).toBe(200);
    expect(broker.given).toHaveLength(1);
    clock.advance(999);
    await many();
    expect(broker.given).toHaveLength(1);
    clock.advance(1);
    await many();
    expect(broker.given).toHaveLength(2);
    await own.server.stop();
  });

  it.each(["none", ":memory:"])(
    "leaves no trace for subscribers, history and metrics (storage %s)",
    async (path) => {
      const clock = new FakeClock();
      const own = await startOwn({ storage: { path } }, {}, { clock });
      const server = own.server;
      server.broadcastThingMade({ thing_id: "a" });
      const before = (await get(`${own.http}/api/channels/global/events`)).body;
      const metrics = async () =>
        (await get(`${own.http}/metrics`)).body.split("\n")
          .filter((line: string) => !/^(#|process_|websocket_event_loop_)/.test(line));
      const counted = await metrics();
      expect(counted).not.toEqual([]);
      for (let round = 0; round < 3; round++) {
        clock.advance(1_000);
        expect((await get(`${own.http}/ready`)).status).toBe(200);
      }
      expect(await metrics()).toEqual(counted);
      server.broadcastThingMade({ thing_id: "a" });
      const { seq, epoch } = before;
      const after = (await get(`${own.http}/api/channels/global/events?since=${epoch}:${seq}`)).body;
      // Recovered and without a hole: what stands between the two events belongs to no channel.
      expect(after).toMatchObject({ epoch, recovered: true, events: [{ prev: before.events[0].seq }] });
      const channels = (await get(`${own.http}/api/channels`)).body;
      expect(channels.channels.map(({ channel }: { channel: string }) => channel)).toEqual([
        "global",
        "thing:a",
      ]);
      await server.stop();
    },
  );

  it("shows subscribers nothing", async () => {
    const own = await startOwn();
    const client = await FrameClient.open(own.url);
    for (const channel of ["global", "thing:*"]) await client.request("subscribe", { channel });
    expect((await get(`${own.http}/ready`)).status).toBe(200);
    expect(await client.request("subscribe", { channel: "$canary" })).toMatchObject({ type: "error" });
    own.server.broadcastThingMade({ thing_id: "a" });
    await client.request("look");
    const events = client.frames.filter(({ type }) => type === "event");
    expect(events.map(({ event, room, prev }) => [event, room, prev])).toEqual([
      ["thing.made", "thing:a", 0],
      ["thing.made", "global", 0],
    ]);
    await client.close();
    await own.server.stop();
  });

  it("is 503 on both ports from the moment a stop begins, while clients are still leaving", async () => {
    const { own, clock } = await startMoody();
    // One more than are told to leave at once, and the time in which the rest is told stands still.
    const clients = await Promise.all(
      Array.from({ length: 51 }, async () => {
        const client = await RawSocket.open(own.server.port);
        client.request("/");
        await client.until("\r\n\r\n");
        return client;
      }),
    );
    await expect.poll(() => own.server.connections.size, MINUTE).toBe(51);
    expect((await get(`${own.http}/ready`)).status).toBe(200);
    const both = bases(own);
    const stopped = own.server.stop();
    for (const base of both) {
      expect(await get(`${base}/ready`)).toMatchObject({
        status: 503,
        body: { status: "not_ready", reason: "The service is stopping" },
      });
    }
    for (const client of clients) client.net.destroy();
    await expect.poll(() => own.server.connections.size, MINUTE).toBe(0);
    clock.advance(1_000);
    await stopped;
  });

  it("does not let a stop wait for a broker that is stuck: whoever asks is told at once", async () => {
    const { own, broker, clock } = await startMoody();
    broker.mood = "stuck";
    const waiting = clock.pending;
    const asked = get(`${own.http}/ready`);
    await expect.poll(() => clock.pending, MINUTE).toBe(waiting + 1);
    const stopped = own.server.stop();
    expect(await asked).toMatchObject({ status: 503, body: { reason: "The service is stopping" } });
    broker.recover();
    await stopped;
  });

  it("is ready again after a restart of the same server", async () => {
    const own = await startOwn();
    await own.server.stop();
    await own.server.start();
    for (const base of bases(own)) expect((await get(`${base}/ready`)).status).toBe(200);
    await own.server.stop();
  });

  it("says within somebody's own app that the service is not up, up, and stopped", async () => {
    const options = {
      runtime: await detectRuntime({ log: silentLog }),
      settings: { storage: { path: "none" } },
      log: silentLog,
    };
    const ask = async (server: Pick<RealtimeServer<never>, "app">) => {
      const answer = await server.app.request("http://127.0.0.1/ready");
      return [answer.status, (await answer.json()).reason];
    };
    const closed = new RealtimeServer(makeOwnService(), options);
    expect(await ask(closed)).toEqual([503, "The service is not up yet"]);
    const embedded = await createRealtime(makeOwnService(), options);
    expect(await ask(embedded)).toEqual([200, undefined]);
    await embedded.stop();
    expect(await ask(embedded)).toEqual([503, "The service has stopped"]);
  });
});
