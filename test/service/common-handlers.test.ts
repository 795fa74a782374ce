import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

const request = (event: string, data: object) => ({ type: "request", event, data });

describe("commonRoutes", () => {
  test("get_history answers the newest events, or those after a position", async () => {
    const bench = createBench();
    for (let n = 1; n <= 10; n++) bench.change(n % 2 ? "a" : "b", n);
    const client = bench.connect();
    const ask = async (data: object) => {
      const [{ data: answer }] = await bench.ask(client, request("get_history", data)) as [
        { data: Record<string, never> },
      ];
      const { events, ...rest } = answer as unknown as {
        events: { data: { n: number } }[];
        recovered?: boolean;
      };
      return [events.map(({ data }) => data.n), rest.recovered];
    };
    expect(await ask({ channel: "doc:a" })).toEqual([[1, 3, 5, 7, 9], undefined]);
    expect(await ask({ channel: "doc:a", limit: 2 })).toEqual([[7, 9], undefined]);
    expect(await ask({ channel: "doc:*", since: { epoch: "e1", seq: 7 } })).toEqual([[8, 9, 10], true]);
    expect(await ask({ channel: "doc:a", since: { epoch: "e1", seq: 11 } })).toEqual([[], false]);
    expect(await ask({ channel: "doc:a", since: { epoch: "old", seq: 7 } })).toEqual([
      [1, 3, 5, 7, 9],
      false,
    ]);
  });

  test("get_history answers no more than a frame holds, and where to go on from", async () => {
    const bench = createBench();
    for (let n = 1; n <= 30; n++) {
      bench.publish("system.announcement", { message: `${n} ${"é".repeat(50_000)}` });
    }
    const client = bench.connect();
    const ask = async (data: object) => {
      const [answer] = await bench.ask(client, request("get_history", { channel: "global", ...data }));
      expect(new TextEncoder().encode(JSON.stringify(answer)).byteLength).toBeLessThan(1_000_000);
      const { seq, epoch, has_more, events } = answer!.data as unknown as {
        seq: number;
        epoch: string;
        has_more: boolean;
        events: { seq: number }[];
      };
      return { since: { seq, epoch }, has_more, seqs: events.map(({ seq }) => seq) };
    };
    const newest = await ask({ limit: 1_000 });
    expect(newest).toEqual({
      since: { epoch: "e1", seq: 30 },
      has_more: true,
      seqs: [23, 24, 25, 26, 27, 28, 29, 30],
    });
    const pages: number[][] = [];
    for (let since = { epoch: "e1", seq: 0 }, more = true; more;) {
      const page = await ask({ since, limit: 1_000 });
      ({ since, has_more: more } = page);
      pages.push(page.seqs);
    }
    expect(pages.map(({ length }) => length)).toEqual([8, 8, 8, 6]);
    expect(pages.flat()).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(await ask({ since: { epoch: "e1", seq: 28 } })).toMatchObject({ has_more: false, seqs: [29, 30] });
    expect(await ask({ since: { epoch: "e1", seq: 20 }, limit: 2 })).toEqual({
      since: { epoch: "e1", seq: 22 },
      has_more: true,
      seqs: [21, 22],
    });
  });

  test("get_history says when events are gone", async () => {
    const bench = createBench({ retention: { events: 2 } });
    for (let n = 1; n <= 5; n++) bench.change("a", n);
    const data = { channel: "doc:a", since: { epoch: "e1", seq: 1 } };
    const [answer] = await bench.ask(bench.connect(), request("get_history", data));
    expect(answer!.data).toMatchObject({ recovered: false, seq: 5, epoch: "e1" });
    expect(answer!.data.events).toHaveLength(2);
  });

  test("get_presence counts who is in a channel, wildcards included, and names users once", async () => {
    const bench = createBench();
    const as = (userId: string) =>
      bench.connect({ identity: { userId, permissions: [], authenticated: true }, expiresAt: null });
    for (const client of [as("ada"), as("ada"), as("bob"), bench.connect()]) {
      await bench.ask(client, { type: "subscribe", room: "doc:a" });
    }
    await bench.ask(as("eve"), { type: "subscribe", room: "doc:*" });
    const [answer] = await bench.ask(bench.connect(), request("get_presence", { channel: "doc:a" }));
    expect(answer!.data.count).toBe(5);
    expect(answer!.data.users).toEqual([
      { user_id: "ada", connections: 2 },
      { user_id: "bob", connections: 1 },
      { user_id: "eve", connections: 1 },
    ]);
  });

  test("get_status answers the server's figures, or an object's own state", async () => {
    const bench = createBench();
    const frames = await bench.ask(
      bench.connect(),
      request("get_status", {}),
      request("get_status", { doc_id: "a" }),
    );
    expect(frames.map(({ data }) => data)).toEqual([{
      service: "demo",
      door: "websocket",
      manager: { docs: 0 },
    }, { docs: 0 }]);
  });

  test.each(["get_history", "get_presence"])("%s of a channel out of reach is refused", async (event) => {
    const bench = createBench({ settings: { authRequired: true } });
    const client = bench.connect({
      identity: { userId: "ada", permissions: ["read"], authenticated: true },
      expiresAt: null,
    });
    const [unknown] = await bench.ask(client, request(event, { channel: "nope:a" }));
    expect(unknown!.error_code).toBe("INVALID_CHANNEL");
    const [fine] = await bench.ask(client, request(event, { channel: "doc:a" }));
    expect(fine!.type).toBe("response");
    const writer = bench.connect({
      identity: { userId: "ada", permissions: ["write"], authenticated: true },
      expiresAt: null,
    });
    expect((await bench.ask(writer, request(event, { channel: "doc:a" })))[0]!.error_code).toBe("FORBIDDEN");
  });

  test("publish to a channel that the data does not lead to is INVALID_CHANNEL", async () => {
    const bench = createBench();
    const data = { event: "cursor.moved", channel: "cursor:b", data: { doc_id: "a", n: 1 } };
    const [frame] = await bench.ask(bench.connect(), request("publish", data));
    expect(frame).toMatchObject({ error_code: "INVALID_CHANNEL" });
    expect(frame!.error_message).toContain("cursor:a");
  });

  test("publish needs what the contract asks of the event", async () => {
    const bench = createBench({ settings: { authRequired: true } });
    const reader = bench.connect({
      identity: { userId: "ada", permissions: ["read"], authenticated: true },
      expiresAt: null,
    });
    const codes = [];
    for (
      const [event, data] of [["cursor.moved", { doc_id: "a", n: 1 }], ["feed.posted", { when: "x" }], [
        "system.announcement",
        { message: "x" },
      ]]
    ) {
      const [frame] = await bench.ask(reader, request("publish", { event, data }));
      codes.push(frame!.error_code ?? "fine");
    }
    expect(codes).toEqual(["fine", "FORBIDDEN", "FORBIDDEN"]);
  });

  test("publish needs nothing beside it", async () => {
    const bench = createBench({ settings: { authRequired: true } });
    const as = (permissions: string[]) =>
      bench.connect({ identity: { userId: "ada", permissions, authenticated: true }, expiresAt: null });
    const data = { event: "feed.posted", data: { when: "x" } };
    const [frame] = await bench.ask(as(["write"]), request("publish", data));
    expect(frame!.error_code).toBe(null);
    for (const permissions of [[], ["other:write"]]) {
      const [frame] = await bench.ask(as(permissions), request("publish", data));
      expect(frame!.error_message).toBe("Not authorized to publish: needs a permission of demo");
    }
  });
});
