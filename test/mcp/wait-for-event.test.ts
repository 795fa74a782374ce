import { describe, expect, test } from "vitest";
import type { Broker, CreateBroker } from "../../src/broker/broker.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import { NOTICE } from "../../src/mcp/told-event.ts";
import { lateBroker } from "../delivery/late-broker.ts";
import { eventReader, RunningTicks, settled } from "./event-reader.ts";

const user = (userId: string, ...permissions: string[]) => ({ userId, permissions, authenticated: true });

describe("wait_for_event", () => {
  test("answers with the first event that fits, as soon as it happens", async () => {
    const { clock, host, publish, wait, held } = eventReader();
    publish("note:1", "note.added", { note_id: "1", text: "too early" });
    const answer = wait({
      channel: "note:1",
      events: ["note.changed"],
      match: { "by.name": ["ada", "eve"] },
    });
    publish("note:2", "note.changed", { by: { name: "ada" } });
    publish("note:1", "note.added", { by: { name: "ada" } });
    publish("note:1", "note.changed", { by: { name: "bob" } });
    await settled();
    clock.advance(12_000);
    const event = publish("note:1", "note.changed", { by: { name: "eve" } });
    publish("note:1", "note.changed", { by: { name: "ada" } });
    expect(await answer).toEqual({
      notice: NOTICE,
      outcome: "matched",
      event: {
        id: event.id,
        channel: "note:1",
        event: "note.changed",
        data: { by: { name: "eve" }, timestamp: event.timestamp },
        timestamp: "2026-01-01T00:00:12.000Z",
        seq: event.seq,
        source: "notes note:1",
      },
      cursor: `e1:${event.seq}`,
    });
    expect(Object.keys(await wait({ channel: "note:1", since: "start" }))[0]).toBe("notice");
    expect(held()).toBe(0);
    expect(host.logged).toEqual([]);
  });

  test("hears every channel of a kind by a wildcard", async () => {
    const { publish, wait } = eventReader();
    const answer = wait({ channel: "note:*" });
    publish("global", "note.changed");
    publish("note:seven", "note.added");
    expect((await answer).event!.channel).toBe("note:seven");
  });

  test("looks through what came after a cursor first, however long that is", async () => {
    const { publish, wait } = eventReader({ retention: { events: 5_000 } });
    for (let n = 0; n < 1_000; n++) publish("note:1", "note.changed", { n });
    const late = await wait({ channel: "note:1", since: "e1:200", match: { n: [100, 900] }, timeout: 0 });
    expect([late.outcome, late.event!.data["n"], late.cursor]).toEqual(["matched", 900, "e1:901"]);
    const none = await wait({ channel: "note:1", since: late.cursor, match: { n: 100 }, timeout: 0 });
    expect([none.outcome, none.cursor]).toEqual(["timeout", "e1:1000"]);
    // A bare number is a position of the present.
    expect((await wait({ channel: "note:1", since: 999 })).event!.data["n"]).toBe(999);
    expect((await wait({ channel: "note:1", since: "999" })).event!.data["n"]).toBe(999);
  });

  test("begins with the oldest event that is kept where asked to, and is never truncated then", async () => {
    const { publish, wait } = eventReader({ retention: { events: 3 } });
    const none = await wait({ channel: "note:1", since: "start", timeout: 0 });
    expect([none.outcome, none.cursor]).toEqual(["timeout", "e1:0"]);
    for (let n = 1; n <= 10; n++) publish("note:1", "note.added", { n });
    const oldest = await wait({ channel: "note:1", since: "start" });
    expect([oldest.outcome, oldest.event!.data["n"], oldest.missed]).toEqual(["matched", 8, undefined]);
    const next = await wait({ channel: "note:1", since: oldest.cursor });
    expect([next.outcome, next.event!.data["n"]]).toEqual(["matched", 9]);
    expect((await wait({ channel: "note:*", since: "start" })).event!.data["n"]).toBe(8);
  });

  test("gives up when its time is over, with a cursor that loses nothing", async () => {
    const { clock, publish, wait, held } = eventReader();
    const first = wait({ channel: "note:1", events: ["note.added"] });
    await settled();
    publish("note:1", "note.changed");
    publish("global", "note.waved");
    clock.advance(29_999);
    const added = publish("note:2", "note.added");
    clock.advance(1);
    const { outcome, cursor, event, advice } = await first;
    expect([outcome, cursor, event]).toEqual(["timeout", `e1:${added.seq}`, undefined]);
    expect(advice).toContain("`since`");
    publish("note:1", "note.added", { n: 2 });
    expect((await wait({ channel: "note:1", since: cursor })).event!.data["n"]).toBe(2);
    expect(held()).toBe(0);
  });

  test("answers at once where its time is 0", async () => {
    const { publish, wait } = eventReader();
    publish("note:1", "note.added");
    expect(await wait({ channel: "note:1", timeout: 0 })).toMatchObject({
      outcome: "timeout",
      cursor: "e1:1",
    });
  });

  test("tells every ten seconds how far it is, to who wants to know", async () => {
    const { clock, publish, wait, held } = eventReader();
    const told: unknown[] = [];
    const progress = (...how: unknown[]) => {
      told.push(how);
      return Promise.resolve();
    };
    const answer = wait({ channel: "note:1", timeout: 45 }, { progress });
    await settled();
    clock.advance(25_000);
    publish("note:1", "note.added");
    await answer;
    clock.advance(60_000);
    const message = "Waiting for an event of note:1";
    expect(told).toEqual([[10, 45, message], [20, 45, message]]);
    expect(held()).toBe(0);
  });

  test("ends when its client cancels or goes, while it waits and while it reads, and holds nothing then", async () => {
    const clock = new RunningTicks();
    for (const createBroker of [undefined, lateBroker(clock)]) {
      const { publish, wait, held } = eventReader({ clock, ...(createBroker ? { createBroker } : {}) });
      const gone = AbortSignal.abort();
      await wait({ channel: "note:1" }, { signal: gone });
      expect(held()).toBe(0);
      const leaving = new AbortController();
      const answer = wait({ channel: "note:1", since: "start" }, { signal: leaving.signal });
      await settled();
      leaving.abort();
      await answer;
      clock.advance(100);
      await settled();
      expect(held()).toBe(0);
      publish("note:1", "note.added");
    }
  });

  test("ends as not available when the service stops, and is refused where it is not up", async () => {
    const { host, wait, held } = eventReader();
    const answer = wait({ channel: "note:1" });
    await settled();
    host.watches.stop();
    expect((await answer).refusal).toMatch(/^NOT_AVAILABLE: The service is stopping, .*\nRetryable/);
    host.live = null;
    expect((await wait({ channel: "note:1" })).refusal).toMatch(/^NOT_AVAILABLE: The service is not up/);
    expect(held()).toBe(0);
  });
});

describe("wait_for_event, where the history cannot be read", () => {
  /** A broker whose history is read as told. */
  const reading = (read: Broker["read"]): CreateBroker => (parts) => {
    const broker: Broker = new MemoryBroker(parts);
    broker.read = read;
    return broker;
  };

  test("fails as a whole where reading fails, and holds nothing then", async () => {
    const createBroker = reading(() => Promise.reject(new Error("no way")));
    const { publish, wait, held } = eventReader({ createBroker });
    publish("note:1", "note.added");
    await expect(wait({ channel: "note:1", since: "start" })).rejects.toThrow("no way");
    expect(held()).toBe(0);
    // Without a past to look through it waits as ever.
    const answer = wait({ channel: "note:1" });
    await settled();
    publish("note:1", "note.added");
    expect((await answer).outcome).toBe("matched");
  });

  test("gives up five seconds after its time where reading takes for ever, with a cursor that loses nothing", async () => {
    const { clock, publish, wait, held } = eventReader({
      createBroker: reading(() => new Promise(() => {})),
    });
    publish("note:1", "note.added");
    const answer = wait({ channel: "note:1", since: "start", timeout: 10 });
    await settled();
    publish("note:1", "note.added");
    clock.advance(14_999);
    expect(held()).toBeGreaterThan(0);
    clock.advance(1);
    const { outcome, cursor } = await answer;
    expect([outcome, cursor]).toEqual(["timeout", "e1:0"]);
    expect(held()).toBe(0);
  });
});

describe("wait_for_event, where something is lost", () => {
  test("says so, what to do, and where to go on, where history does not reach back", async () => {
    const { publish, wait } = eventReader({ retention: { events: 3 } });
    for (let n = 1; n <= 10; n++) publish("note:1", "note.added", { n });
    const lost = await wait({ channel: "note:1", since: "e1:2" });
    expect(lost).toMatchObject({
      outcome: "truncated",
      missed: { from: 2, to: 7, cause: "history" },
      cursor: "e1:7",
    });
    expect(lost.advice).toContain('get_status {"note_id":"1"}');
    expect((await wait({ channel: "note:1", since: lost.cursor })).event!.data["n"]).toBe(8);
    expect((await wait({ channel: "note:*", since: "e1:2", events: ["note.added"] })).outcome).toBe(
      "truncated",
    );
  });

  test("says so where history goes while it is read", async () => {
    const clock = new RunningTicks();
    const { publish, wait } = eventReader({
      clock,
      createBroker: lateBroker(clock),
      retention: { events: 300 },
    });
    for (let n = 1; n <= 300; n++) publish("note:1", "note.added", { n });
    clock.advance(8);
    await settled();
    const answer = wait({ channel: "note:1", since: "e1:1", match: { n: 1_000 } });
    for (let round = 0; round < 20; round++) {
      for (let n = 0; n < 40; n++) publish("note:1", "note.changed");
      clock.advance(1);
      await settled();
    }
    const { outcome, missed, cursor } = await answer;
    expect([outcome, missed!.cause]).toEqual(["truncated", "history"]);
    expect(missed!.to).toBeGreaterThan(missed!.from);
    expect(cursor).toBe(`e1:${missed!.to}`);
  });

  test("says so of positions of another epoch, and of those that were never given out", async () => {
    const { publish, wait } = eventReader({ retention: { events: 2 } });
    for (let n = 1; n <= 5; n++) publish("note:1", "note.added", { n });
    expect(await wait({ channel: "note:1", since: "e0:4" })).toMatchObject({
      outcome: "truncated",
      missed: { from: 0, to: 3, cause: "epoch" },
      cursor: "e1:3",
    });
    expect(await wait({ channel: "note:1", since: "e1:6" })).toMatchObject({
      outcome: "truncated",
      missed: { from: 5, to: 5, cause: "ahead" },
      cursor: "e1:5",
    });
  });

  test("says beside the outcome what a channel without history has lost, and hears it live", async () => {
    const { clock, publish, wait } = eventReader();
    publish("pointer:1", "note.pointed");
    const { cursor } = await wait({ channel: "pointer:1", timeout: 0 });
    publish("pointer:1", "note.pointed");
    const later = wait({ channel: "pointer:1", since: cursor });
    await settled();
    publish("pointer:1", "note.pointed", { n: 3 });
    expect(await later).toMatchObject({
      outcome: "matched",
      event: { data: { n: 3 } },
      missed: { from: 1, to: 2, cause: "ephemeral" },
    });
    const none = wait({ channel: "pointer:1", since: "e1:3" });
    await settled();
    clock.advance(30_000);
    expect((await none).missed).toBeUndefined();
    const other = await wait({ channel: "pointer:*", since: "old:3", timeout: 0 });
    expect([other.outcome, other.missed!.cause]).toEqual(["timeout", "epoch"]);
    expect((await wait({ channel: "pointer:*", since: "start", timeout: 0 })).missed).toBeUndefined();
  });

  test("tells an event that is too long for anybody without its data", async () => {
    const { publish, wait } = eventReader();
    publish("note:1", "note.added", { text: "x".repeat(200_000) });
    const { event } = await wait({ channel: "note:1", since: "start" });
    expect(event!.data).toEqual({ data_too_large: expect.stringMatching(/^2000\d\d characters$/) });
  });
});

describe("wait_for_event refuses", () => {
  test("channels and events that cannot be, with what there is", async () => {
    const { wait, held } = eventReader();
    const refusal = async (data: object) => (await wait(data)).refusal!.split("\n")[0];
    expect(await refusal({ channel: "nowhere:1" })).toBe(
      "INVALID_CHANNEL: Invalid channel: unknown kind 'nowhere'; expected one of global, note:{note_id}, " +
        "pointer:{note_id}, gauge:{note_id}",
    );
    expect(await refusal({ channel: "note:1", events: ["note.added", "note.chnaged"] })).toBe(
      "INVALID_DATA: Invalid data for wait_for_event: events.1: expected the name of an event of this service; did " +
        "you mean 'note.changed'?",
    );
    expect(await refusal({ channel: "note:1", events: ["toString"] })).toContain(
      "there are system.announcement,",
    );
    for (const since of ["", "start ", "e1:", "e1:x", "e1:-1", "12345678901234567", "e1:99999999999999999"]) {
      expect(await refusal({ channel: "note:1", since }), since).toBe(
        "INVALID_DATA: Invalid data for wait_for_event: since: expected a cursor of an earlier answer such as " +
          "'e1:0', or 'start'",
      );
    }
    expect(held()).toBe(0);
  });

  test("arguments out of bounds", async () => {
    const { wait } = eventReader();
    const many = Object.fromEntries(Array.from({ length: 17 }, (_, n) => [`f${n}`, n]));
    for (
      const wrong of [
        { timeout: 45.1 },
        { timeout: -1 },
        { timeout: "5" },
        { match: many },
        { match: { a: {} } },
        { match: { a: [] } },
        { match: { a: [[1]] } },
        { match: [1] },
        { match: { constructor: 1 } },
        { match: JSON.parse('{"__proto__": 1, "n": 1}') },
        { match: { prototype: 1 } },
        { match: { ["a.".repeat(129)]: 1 } },
        { match: { a: "x".repeat(1_001) } },
        { events: [] },
        { events: "note.added" },
        { event: "note.added" },
        { since: -1 },
        { since: 1.5 },
        { since: { epoch: "e1", seq: 1 } },
        { channel: 5 },
      ]
    ) {
      const { refusal } = await wait({ channel: "note:1", ...wrong });
      expect(refusal, JSON.stringify(wrong)).toMatch(/^INVALID_DATA: Invalid data for wait_for_event: /);
    }
  });

  test("callers who may not read, as get_history does", async () => {
    const { wait, publish } = eventReader({ authRequired: true });
    const refusal = async (...permissions: string[]) =>
      (await wait({ channel: "note:1", timeout: 0 }, { identity: user("ada", ...permissions) })).refusal;
    expect(await refusal()).toMatch(/^FORBIDDEN: /);
    expect(await refusal("notes:write")).toMatch(/^FORBIDDEN: /);
    expect((await wait({ channel: "note:1", timeout: 0 })).refusal).toMatch(/^FORBIDDEN: /);
    publish("note:1", "note.added");
    expect(await refusal("notes:read")).toBeUndefined();
  });

  test("kinds that a caller may not read", async () => {
    const { wait, host } = eventReader();
    Object.assign(host, { mayRead: (_: unknown, kind: string) => kind !== "note" });
    expect((await wait({ channel: "note:*", timeout: 0 })).refusal).toMatch(
      /^FORBIDDEN: Not authorized to read note:\*\n/,
    );
    expect((await wait({ channel: "global", timeout: 0 })).outcome).toBe("timeout");
  });

  test("more calls at one time than one caller may have, and more than all may have", async () => {
    const { wait, held, publish } = eventReader({ bounds: { total: 4, perCaller: 2 } });
    const by = (name: string) => ({ identity: user(name) });
    const from = (origin: string) => ({ origin });
    const waits = [
      wait({ channel: "note:1" }, by("ada")),
      wait({ channel: "note:1" }, by("ada")),
      wait({ channel: "note:1" }, from("session 1")),
    ];
    expect((await wait({ channel: "note:1" }, by("ada"))).refusal).toMatch(
      /^RATE_LIMIT_EXCEEDED: You wait in 2 calls already: let one of them end, .*\nRetryable/,
    );
    waits.push(wait({ channel: "note:1" }, from("session 2")));
    expect((await wait({ channel: "note:1" }, by("eve"))).refusal).toMatch(
      /^RATE_LIMIT_EXCEEDED: 4 calls wait already: try again in a few seconds\nRetryable/,
    );
    await settled();
    publish("note:1", "note.added");
    for (const { outcome } of await Promise.all(waits)) expect(outcome).toBe("matched");
    // Refused calls took no place.
    const again = Array.from({ length: 2 }, () => wait({ channel: "note:1" }, by("ada")));
    await settled();
    publish("note:1", "note.added");
    for (const { outcome } of await Promise.all(again)) expect(outcome).toBe("matched");
    expect(held()).toBe(0);
  });

  test("the fifty-first call of one caller", async () => {
    const { clock, wait } = eventReader();
    const all = Array.from({ length: 51 }, () => wait({ channel: "note:1" }));
    await settled();
    clock.advance(30_000);
    const ends = await Promise.all(all);
    expect(ends.filter(({ outcome }) => outcome === "timeout")).toHaveLength(50);
    expect(ends[50]!.refusal).toMatch(/^RATE_LIMIT_EXCEEDED: /);
  });
});
