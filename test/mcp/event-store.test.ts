import { describe, expect, test } from "vitest";
import { eventPlace, RecentEvents, TELLING_STREAM } from "../../src/mcp/event-store.ts";
import type { JSONRPCMessage } from "../../src/mcp/sdk.ts";

function message(name: string, size = 0): JSONRPCMessage {
  return { jsonrpc: "2.0", method: name, params: { filling: "x".repeat(size) } };
}

function setUp() {
  const told = { missed: 0 };
  const events = new RecentEvents(() => void told.missed++);
  /** What a client gets that comes back, as names. `meanwhile` runs after each message. */
  const replay = async (lastEventId: string, meanwhile: (name: string) => void = () => {}) => {
    const names: string[] = [];
    const streamId = await events.replayEventsAfter(lastEventId, {
      // deno-lint-ignore require-await
      async send(id, message) {
        expect(eventPlace(id)?.streamId).toBe(eventPlace(lastEventId)!.streamId);
        const { method } = message as { method: string };
        names.push(method);
        meanwhile(method);
      },
    });
    expect(streamId).toBe(eventPlace(lastEventId)!.streamId);
    return names;
  };
  return { events, replay, told };
}

describe("RecentEvents", () => {
  test("repeats what came after an event on its stream, and nothing of other streams", async () => {
    const { events, replay, told } = setUp();
    const a1 = await events.storeEvent("a", message("a1"));
    const b1 = await events.storeEvent("b", message("b1"));
    await events.storeEvent("a", message("a2"));
    const a3 = await events.storeEvent("a", message("a3"));
    expect(await replay(a1)).toEqual(["a2", "a3"]);
    expect(await replay(b1)).toEqual([]);
    expect(await replay(a3)).toEqual([]);
    expect(told.missed).toBe(0);
  });

  test("repeats no event without a message", async () => {
    const { events, replay } = setUp();
    const first = events.prime();
    await events.storeEvent(TELLING_STREAM, message("told"));
    events.prime();
    expect(await replay(first)).toEqual(["told"]);
  });

  test("repeats also what is stored while it repeats, once", async () => {
    const { events, replay } = setUp();
    const first = events.prime();
    await events.storeEvent(TELLING_STREAM, message("1"));
    let more = 1;
    expect(
      await replay(first, () => {
        if (more < 600) void events.storeEvent(TELLING_STREAM, message(String(++more)));
      }),
    ).toEqual(Array.from({ length: 600 }, (_, index) => String(index + 1)));
  });

  test("passes over what goes while it repeats, and goes on behind it", async () => {
    const { events, replay } = setUp();
    const first = events.prime();
    await events.storeEvent(TELLING_STREAM, message("1"));
    await events.storeEvent(TELLING_STREAM, message("2"));
    const names = await replay(first, (name) => {
      if (name !== "1") return;
      for (let n = 0; n < 500; n++) {
        void events.storeEvent(n < 499 ? "a" : TELLING_STREAM, message(String(n)));
      }
    });
    expect(names).toEqual(["1", "499"]);
  });

  test("keeps 500 events, and says so when a client comes back to what is gone", async () => {
    const { events, replay, told } = setUp();
    const ids: string[] = [];
    for (let n = 0; n < 502; n++) ids.push(await events.storeEvent("a", message(String(n))));
    expect((await replay(ids[1]!)).length).toBe(500);
    expect(told.missed).toBe(0);
    expect((await replay(ids[0]!)).length).toBe(500);
    expect(told.missed).toBe(1);
  });

  test("keeps a million characters, and one event however large it is", async () => {
    const { events, replay, told } = setUp();
    const first = await events.storeEvent("a", message("0"));
    await events.storeEvent("a", message("1", 600_000));
    await events.storeEvent("a", message("2", 600_000));
    expect(await replay(first)).toEqual(["2"]);
    await events.storeEvent("a", message("3", 5_000_000));
    expect(await replay(first)).toEqual(["3"]);
    expect(told.missed).toBe(2);
  });

  test("takes an id of another session for one of what is gone", async () => {
    const { events, replay, told } = setUp();
    await events.storeEvent(TELLING_STREAM, message("told"));
    expect(await replay(`7@${TELLING_STREAM}`)).toEqual([]);
    expect(told.missed).toBe(1);
  });

  test("knows which requests are still to be answered, and whether anything was told unasked", async () => {
    const { events } = setUp();
    expect([events.isOpen("a"), events.hasTold]).toEqual([false, false]);
    await events.storeEvent("a", {} as JSONRPCMessage);
    events.prime();
    expect([events.isOpen("a"), events.isOpen(TELLING_STREAM), events.hasTold]).toEqual([true, false, false]);
    await events.storeEvent("a", message("progress"));
    expect(events.isOpen("a")).toBe(true);
    await events.storeEvent("a", { jsonrpc: "2.0", id: 1, result: {} });
    await events.storeEvent("b", { jsonrpc: "2.0", id: 2, error: { code: 1, message: "no" } });
    expect([events.isOpen("a"), events.isOpen("b"), events.hasTold]).toEqual([false, false, false]);
    await events.storeEvent(TELLING_STREAM, message("told"));
    expect(events.hasTold).toBe(true);
  });

  test("refuses ids that it cannot have given", async () => {
    const { events } = setUp();
    for (const id of ["", "7", "@a", "a@7", "-1@a", "1.5@a", "1".repeat(16) + "@a", `1@${"a".repeat(201)}`]) {
      expect(eventPlace(id), id).toBeUndefined();
      await expect(events.replayEventsAfter(id, { send: () => Promise.resolve() })).rejects.toThrow(
        "Expected the id of an event of this session",
      );
    }
  });
});
