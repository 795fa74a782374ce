import { describe, expect, test } from "vitest";
import { createBench } from "../support/connection-bench.ts";

describe("subscribe", () => {
  const forms: [string, object, string][] = [];
  for (const verb of ["subscribe", "unsubscribe"]) {
    for (
      const [where, names] of [["data.channel", { data: { channel: "doc:a" } }], ["data.room", {
        data: { room: "doc:a" },
      }], ["room", { room: "doc:a" }]] as const
    ) {
      forms.push([`${verb} request, ${where}`, { type: "request", event: verb, ...names }, "response"]);
      forms.push([`${verb} event, ${where}`, { type: "event", event: verb, ...names }, "ack"]);
      forms.push([`${verb} type, ${where}`, { type: verb, ...names }, "ack"]);
    }
  }
  test.each(forms)("%s is answered in kind", async (what, frame, answer) => {
    const bench = createBench();
    const client = bench.connect();
    const verb = what.split(" ")[0]!;
    const [reply, ...more] = await bench.ask(client, frame);
    expect(more).toEqual([]);
    expect(reply).toMatchObject({
      type: answer,
      event: verb,
      data: { status: `${verb}d`, channel: "doc:a" },
    });
    expect(bench.hub.audience("doc:a")).toBe(verb === "subscribe" ? 1 : 0);
  });

  test("data.channel wins over data.room, and that over the envelope's room", async () => {
    const bench = createBench();
    const [one] = await bench.ask(bench.connect(), {
      type: "subscribe",
      room: "doc:c",
      data: { room: "doc:b", channel: "doc:a" },
    });
    const [two] = await bench.ask(bench.connect(), {
      type: "subscribe",
      room: "doc:c",
      data: { room: "doc:b", channel: null },
    });
    expect([one!.data.channel, two!.data.channel]).toEqual(["doc:a", "doc:b"]);
  });

  test.each([
    [undefined],
    [""],
    [5],
    [["doc:a"]],
    [{}],
    ["doc"],
    ["doc:"],
    ["nope:a"],
    ["feed:a"],
    ["feed:*"],
    ["doc:a\n"],
    ["x".repeat(256)],
  ])(
    "a channel %j is answered with INVALID_CHANNEL",
    async (channel) => {
      const bench = createBench();
      const client = bench.connect();
      for (const event of ["subscribe", "unsubscribe"]) {
        for (const type of ["request", "event", event]) {
          const frames = await bench.ask(client, { type, event, data: { channel }, id: "q" });
          expect(frames).toMatchObject([{
            type: "error",
            error_code: "INVALID_CHANNEL",
            correlation_id: "q",
          }]);
        }
      }
      expect(bench.hub.roomCount).toBe(0);
    },
  );

  test("a channel that is empty still gives its position", async () => {
    const bench = createBench();
    const client = bench.connect();
    const [empty] = await bench.ask(client, { type: "subscribe", room: "doc:a" });
    expect(empty!.data).toEqual({ status: "subscribed", channel: "doc:a", epoch: "e1", seq: 0 });
    bench.change("b", 1);
    const [moved] = await bench.ask(client, { type: "subscribe", room: "doc:c" });
    expect(moved!.data.seq).toBe(1);
  });

  test("membership precedes the answer, and the answer precedes every event", async () => {
    const bench = createBench();
    const client = bench.connect();
    client.send({ type: "subscribe", room: "doc:a" });
    expect(bench.hub.audience("doc:a")).toBe(1);
    bench.change("a", 1);
    await bench.settle();
    expect(client.frames.map(({ type }) => type)).toEqual(["ack", "event"]);
    expect(client.socket.writes).toHaveLength(1);
  });

  test("an event that goes to two channels is two frames with one id and two seqs", async () => {
    const bench = createBench();
    const client = bench.connect();
    await bench.ask(client, { type: "subscribe", room: "doc:a" }, { type: "subscribe", room: "feed" });
    bench.publish("doc.shared", { doc_id: "a", n: 1 });
    await bench.settle();
    const frames = client.take();
    expect(frames.map(({ room, seq, prev }) => [room, seq, prev])).toEqual([["doc:a", 1, 0], ["feed", 2, 0]]);
    expect(new Set(frames.map(({ id }) => id)).size).toBe(1);
    expect(
      frames.every(({ type, correlation_id, epoch }) =>
        type === "event" && correlation_id === null && epoch === "e1"
      ),
    ).toBe(true);
  });

  test("a wildcard brings every channel of its kind, and one frame with the channel besides", async () => {
    const bench = createBench();
    const client = bench.connect();
    const [reply] = await bench.ask(client, { type: "subscribe", room: "doc:*" });
    expect(reply!.data.channel).toBe("doc:*");
    bench.change("a", 1);
    bench.publish("cursor.moved", { doc_id: "a", n: 2 });
    await bench.ask(client, { type: "subscribe", room: "doc:b" });
    bench.change("b", 3);
    bench.change("a", 4);
    await bench.settle();
    expect(client.frames.filter(({ type }) => type === "event").map(({ room, data }) => [room, data.n]))
      .toEqual([["doc:a", 1], ["doc:b", 3], ["doc:a", 4]]);
    await bench.ask(client, { type: "unsubscribe", room: "doc:*" });
    bench.change("a", 5);
    bench.change("b", 6);
    await bench.settle();
    expect(client.take().map(({ data }) => data.n)).toEqual([6]);
  });

  test.each([
    [{ since: 5 }, "since: expected an object"],
    [{ since: { epoch: "e1" } }, "since.seq: expected an object with epoch and seq"],
    [{ since: { epoch: 1, seq: 1 } }, "since.epoch: expected text"],
    [{ since: { epoch: "e1", seq: -1 } }, "since.seq: expected a whole number of at least 0"],
    [{ since: { epoch: "e1", seq: 1.5 } }, "since.seq: expected a whole number of at least 0"],
    [{ since: { epoch: "e1", seq: "s".repeat(500) } }, "since.seq: expected a whole number of at least 0"],
    [{ last: 0 }, "last: expected a whole number of at least 1"],
    [{ events: [] }, "events: expected 1 to 64 event types"],
    [{ events: Array(65).fill("a") }, "events: expected 1 to 64 event types"],
    [{ events: ["a", 5] }, "events.1: expected text"],
    [{ events: "a" }, "events: expected 1 to 64 event types"],
    [{ events: ["doc.changed", "doc.chnaged"] }, "events.1: expected an event of this service, got another"],
  ])("wrong options %j are INVALID_DATA, and leave no membership", async (options, message) => {
    const bench = createBench();
    const [reply] = await bench.ask(bench.connect(), {
      type: "subscribe",
      data: { channel: "doc:a", ...options },
    });
    expect(reply!.error_code).toBe("INVALID_DATA");
    expect(reply!.error_message).toContain(message);
    expect(reply!.error_message.length).toBeLessThan(150);
    expect(bench.hub.roomCount).toBe(0);
  });

  test("the 128th channel is taken and the 129th refused; a wildcard counts as one, a former one not again", async () => {
    const bench = createBench({ settings: { framesPerTick: 0 } });
    const client = bench.connect();
    const join = (room: string) => ({ type: "subscribe", room, id: room });
    await bench.ask(
      client,
      join("doc:*"),
      ...Array.from({ length: 126 }, (_, index) => join(`doc:${index}`)),
    );
    expect((await bench.ask(client, join("feed")))[0]!.type).toBe("ack");
    const [refused] = await bench.ask(client, join("doc:x"));
    expect(refused).toMatchObject({ error_code: "TOO_MANY_CHANNELS", correlation_id: "doc:x" });
    expect(refused!.error_message).toContain("128");
    expect((await bench.ask(client, join("doc:5")))[0]!.type).toBe("ack");
    expect(
      (await bench.ask(client, { type: "unsubscribe", room: "doc:5" }, join("doc:x"))).map(({ type }) =>
        type
      ),
    )
      .toEqual(["ack", "ack"]);
    expect(bench.hub.audience("doc:5")).toBe(1);
  });

  test("a snapshot comes with the reply, not for a wildcard and not for who is brought up to date", async () => {
    const bench = createBench({ snapshot: (channel) => ({ of: channel }) });
    const client = bench.connect();
    const replies = await bench.ask(
      client,
      { type: "subscribe", room: "doc:a" },
      { type: "subscribe", room: "doc:*" },
      { type: "subscribe", room: "doc:a", data: { since: { epoch: "e1", seq: 0 } } },
    );
    expect(replies.map(({ data }) => data.snapshot)).toEqual([{ of: "doc:a" }, undefined, undefined]);
  });

  test("a snapshot that throws leaves no membership, and is answered with SERVER_ERROR", async () => {
    const bench = createBench({
      settings: { welcome: "deferred" },
      snapshot() {
        throw new Error("disk on fire");
      },
    });
    const client = bench.connect();
    const frames = await bench.ask(client, { type: "subscribe", room: "doc:a" });
    expect(frames.map(({ error_code, event }) => error_code ?? event)).toEqual([
      "SERVER_ERROR",
      "session.created",
    ]);
    expect(bench.hub.roomCount).toBe(0);
  });

  test("a snapshot over 1 MiB is left out of the reply and told of, and events come all the same", async () => {
    const bench = createBench({ snapshot: () => ({ text: "x".repeat(1_048_576) }) });
    const client = bench.connect();
    const frames = await bench.ask(client, {
      type: "request",
      event: "subscribe",
      data: { channel: "doc:a" },
    });
    expect(frames).toMatchObject([
      { type: "response", data: { status: "subscribed" } },
      { type: "error", error_code: "MESSAGE_TOO_LARGE", room: "doc:a", correlation_id: null },
    ]);
    expect(frames[1]!.error_message).toContain("/api/requests/get_status");
    bench.change("a", 1);
    await bench.settle();
    expect(client.take()).toHaveLength(1);
  });

  test("a snapshot that commits is not followed by its own event", async () => {
    const bench = createBench({
      snapshot(): null {
        bench.change("a", 7);
        return null;
      },
    });
    const frames = await bench.ask(bench.connect(), { type: "subscribe", room: "doc:a" });
    expect(frames).toMatchObject([{ type: "ack", data: { seq: 1 } }]);
  });

  test("while the service is not up, channels are NOT_AVAILABLE", async () => {
    const bench = createBench();
    Object.assign(bench.host, { broker: null });
    const [reply] = await bench.ask(bench.connect(), { type: "subscribe", room: "doc:a" });
    expect(reply!.error_code).toBe("NOT_AVAILABLE");
  });
});
