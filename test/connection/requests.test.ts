import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

const short = (frames: { type: string; correlation_id: string | null; data: { n?: number } }[]) =>
  frames.map(({ type, correlation_id, data }) =>
    type === "event" ? `event ${data.n}` : `${type} ${correlation_id}`
  );
const set = (doc_id: string, n: number, id: string, event = "set_doc") => ({
  type: "request",
  event,
  data: { doc_id, n },
  id,
});

async function member(bench: ReturnType<typeof createBench>, ...rooms: string[]) {
  const client = bench.connect();
  await bench.ask(client, ...rooms.map((room) => ({ type: "subscribe", room })));
  return client;
}

describe("Requests", () => {
  test("Requests answers before the events that a request caused, in the same write", async () => {
    const bench = createBench();
    const client = await member(bench, "doc:a");
    const writes = client.socket.writes.length;
    expect(short(await bench.ask(client, set("a", 1, "q") as never) as never)).toEqual([
      "response q",
      "event 1",
    ]);
    expect(client.socket.writes).toHaveLength(writes + 1);
  });

  test("Requests keeps the events of a handler that commits and then waits, and what follows them, in order", async () => {
    const bench = createBench();
    const client = await member(bench, "doc:a");
    const other = await member(bench, "doc:a");
    await bench.ask(client, set("a", 1, "slow", "set_and_wait"));
    bench.change("a", 2);
    await bench.settle();
    expect(client.take()).toEqual([]);
    expect(short(other.take() as never)).toEqual(["event 1", "event 2"]);
    bench.state.gates[0]!();
    await bench.settle();
    expect(short(client.take() as never)).toEqual(["response slow", "event 1", "event 2"]);
  });

  test("Requests: a slow request that caused nothing delays no event and no other request", async () => {
    const bench = createBench();
    const client = await member(bench, "doc:a");
    await bench.ask(client, { type: "request", event: "wait", id: "slow" });
    expect(short(await bench.ask(client, set("a", 1, "q")) as never)).toEqual(["response q", "event 1"]);
    bench.change("a", 2);
    await bench.settle();
    expect(short(client.take() as never)).toEqual(["event 2"]);
  });

  test("Requests: two that wait are answered in their own order, each before its event", async () => {
    const bench = createBench();
    const client = await member(bench, "doc:*");
    await bench.ask(client, set("a", 1, "one", "set_and_wait"), set("b", 2, "two", "set_and_wait"));
    bench.state.gates[1]!();
    await bench.settle();
    expect(short(client.take() as never)).toEqual(["response two"]);
    bench.state.gates[0]!();
    await bench.settle();
    expect(short(client.take() as never)).toEqual(["response one", "event 1", "event 2"]);
  });

  test("Requests keeps back no more than 256 KiB", async () => {
    const bench = createBench();
    const client = await member(bench, "doc:a", "global");
    await bench.ask(client, set("a", 1, "slow", "set_and_wait"));
    for (let n = 0; n < 3; n++) bench.publish("system.announcement", { message: "x".repeat(100_000) });
    await bench.settle();
    expect(client.take()).toHaveLength(4);
    bench.change("a", 2);
    await bench.settle();
    expect(short(client.take() as never)).toEqual(["event 2"]);
  });

  test("Requests sends what it keeps back before a subscribe to the same channel is answered, and no event twice", async () => {
    for (const [mine, room] of [["doc:a", "doc:a"], ["doc:*", "doc:a"], ["doc:a", "doc:*"]] as const) {
      const bench = createBench();
      const client = await member(bench, mine);
      await bench.ask(client, set("a", 1, "slow", "set_and_wait"));
      const since = { epoch: "e1", seq: 1 };
      const frames = await bench.ask(client, { type: "subscribe", data: { channel: room, since }, id: "s" });
      expect(short(frames as never)).toEqual(["event 1", "ack s"]);
      bench.state.gates[0]!();
      await bench.settle();
      expect(short(client.take() as never)).toEqual(["response slow"]);
    }
  });

  test("Requests keeps events back while another channel is subscribed to", async () => {
    const bench = createBench();
    const client = await member(bench, "doc:a");
    await bench.ask(client, set("a", 1, "slow", "set_and_wait"));
    const answers = await bench.ask(client, { type: "subscribe", room: "doc:b", id: "s" });
    expect(short(answers as never)).toEqual(["ack s"]);
    bench.state.gates[0]!();
    await bench.settle();
    expect(short(client.take() as never)).toEqual(["response slow", "event 1"]);
  });

  test("Requests: no position is told while an older event is kept back", async () => {
    const bench = createBench();
    const client = bench.connect();
    const events = ["doc.changed"];
    await bench.ask(client, { type: "subscribe", data: { channel: "doc:a", events } });
    await bench.ask(client, set("a", 1, "slow", "set_and_wait"));
    const connection = [...bench.connections.values()][0]!;
    const subscription = bench.hub.subscriptions(connection).get("doc:a")!;
    connection.position(subscription, 2);
    await bench.settle();
    expect(client.take()).toEqual([]);
    expect(subscription.unseen).toBe(2);
  });

  test("Requests of a client that has gone harm nobody", async () => {
    const bench = createBench();
    const client = await member(bench, "doc:a");
    await bench.ask(client, set("a", 1, "slow", "set_and_wait"));
    client.hangUp();
    bench.state.gates[0]!();
    await bench.settle();
    expect(client.take()).toEqual([]);
    expect(bench.logged.filter(({ message }) => message !== "Client disconnected")).toEqual([]);
  });

  test.each(["fail_now", "fail_later"])(
    "Requests: %s is answered with SERVER_ERROR, whose id is in the log",
    async (event) => {
      const bench = createBench();
      const client = bench.connect();
      const [frame, ...more] = await bench.ask(client, { type: "request", event, id: "q" });
      expect(more).toEqual([]);
      expect(frame).toMatchObject({
        type: "error",
        event,
        error_code: "SERVER_ERROR",
        correlation_id: "q",
        data: {},
      });
      expect(JSON.stringify(frame)).not.toContain("hunter2");
      const fault = /[0-9a-f-]{36}$/.exec(frame!.error_message)![0];
      const entry = bench.logged.find(({ fields }) => fields.fault === fault)!;
      expect(entry.fields).toMatchObject({ request: event, door: "websocket" });
      expect(String(entry.fields.error)).toContain("hunter2");
      expect((await bench.ask(client, { type: "ping" }))[0]!.type).toBe("pong");
    },
  );

  test("Requests: what a manager's hook throws is answered too", async () => {
    const bench = createBench();
    Object.assign(bench.host, {
      received() {
        throw new Error("the password is hunter2");
      },
    });
    const [frame] = await bench.ask(bench.connect(), {
      type: "request",
      event: "get_doc",
      data: { doc_id: "a" },
      id: "q",
    });
    expect(frame).toMatchObject({ error_code: "SERVER_ERROR", correlation_id: "q" });
    expect(JSON.stringify(frame)).not.toContain("hunter2");
  });

  test("Requests: a Refusal goes out as it is", async () => {
    const bench = createBench();
    const frames = await bench.ask(bench.connect(), { type: "request", event: "refuse" });
    expect(frames).toMatchObject([{
      error_code: "CONFLICT",
      error_message: "Version 3 was expected, 4 is there",
    }]);
  });
});

describe("Requests of publishers", () => {
  test("an event that a client may publish reaches the others, not its sender, who gets an ack", async () => {
    const bench = createBench();
    const [sender, other] = [await member(bench, "cursor:a", "doc:a"), await member(bench, "cursor:a")];
    const acks = await bench.ask(sender, {
      type: "event",
      event: "cursor.moved",
      data: { doc_id: "a", n: 1 },
      id: "q",
    });
    expect(acks).toMatchObject([{
      type: "ack",
      event: "cursor.moved",
      correlation_id: "q",
      data: { status: "published", channels: ["cursor:a"] },
    }]);
    expect(other.take()).toMatchObject([{
      type: "event",
      event: "cursor.moved",
      room: "cursor:a",
      correlation_id: null,
      data: { n: 1 },
    }]);
    bench.publish("cursor.moved", { doc_id: "a", n: 2 });
    await bench.settle();
    expect(short(sender.take() as never)).toEqual(["event 2"]);
  });

  test("a publish request reaches its sender too, after the answer", async () => {
    const bench = createBench();
    const sender = await member(bench, "cursor:a");
    const data = { event: "cursor.moved", data: { doc_id: "a", n: 1 } };
    expect(short(await bench.ask(sender, { type: "request", event: "publish", data, id: "q" }) as never))
      .toEqual(["response q", "event 1"]);
  });

  test("an event is checked as it was sent, whatever its schema makes of it", async () => {
    const bench = createBench();
    const other = await member(bench, "feed");
    const [ack] = await bench.ask(bench.connect(), {
      type: "event",
      event: "feed.posted",
      data: { when: "noon" },
    });
    expect(ack!.type).toBe("ack");
    expect(other.take()[0]!.data.when).toBe(4);
  });

  test.each([
    ["doc.changed", { doc_id: "a", n: 1 }, "FORBIDDEN"],
    ["cursor.moved", { doc_id: "a" }, "INVALID_DATA"],
    ["cursor.moved", { doc_id: "", n: 1 }, "INVALID_DATA"],
    ["cursor.moved", { doc_id: "*", n: 1 }, "INVALID_DATA"],
    ["cursor.moved", { doc_id: "x".repeat(300), n: 1 }, "INVALID_DATA"],
  ])("publishing %s with %j is answered with %s", async (event, data, code) => {
    const bench = createBench();
    for (
      const frame of [{ type: "event", event, data }, {
        type: "request",
        event: "publish",
        data: { event, data },
      }]
    ) {
      const frames = await bench.ask(bench.connect(), frame);
      expect(frames.map(({ error_code }) => error_code)).toEqual([code]);
    }
    expect(bench.journal.head.seq).toBe(0);
  });

  test("a publish with a key is done once, as an event and as a request", async () => {
    const bench = createBench();
    const sender = bench.connect();
    const event = { type: "event", event: "cursor.moved", data: { doc_id: "a", n: 1, idempotency_key: "k" } };
    const data = { event: "cursor.moved", data: { doc_id: "a", n: 1 }, idempotency_key: "k" };
    const frames = await bench.ask(sender, event, event, { type: "request", event: "publish", data });
    expect(frames.map(({ error_code, data }) => error_code ?? data.status)).toEqual([
      "published",
      "published",
      "published",
    ]);
    expect(bench.journal.head.seq).toBe(1);
  });
});
