import { describe, expect, test } from "vitest";
import { NOTICE } from "../../src/mcp/told-event.ts";
import { eventReader, RunningTicks, settled, type ToldNote } from "./event-reader.ts";
import { lateBroker } from "../delivery/late-broker.ts";

const NOTHING = { older: 0, folded: 0, filtered: 0, too_large: 0 };
const numbers = (events: readonly ToldNote[]) => events.map(({ data }) => data["n"]);

describe("read_events", () => {
  test("answers with the newest events that there is room for, oldest first, and counts the others", async () => {
    const { publish, read } = eventReader();
    const first = publish("note:1", "note.added", { n: 0 });
    publish("note:2", "note.added", { n: "elsewhere" });
    const whole = await read({ channel: "note:1" });
    expect(whole).toEqual({
      notice: NOTICE,
      events: [{
        id: first.id,
        channel: "note:1",
        event: "note.added",
        data: { n: 0, timestamp: first.timestamp },
        timestamp: first.timestamp,
        seq: 1,
        source: "notes note:1",
      }],
      cursor: "e1:2",
      left_out: NOTHING,
    });
    for (let n = 1; n <= 99; n++) publish("note:1", "note.changed", { n });
    const newest = await read({ channel: "note:1", max_chars: 2_000 });
    const told = numbers(newest.events);
    expect(told.length).toBeGreaterThan(4);
    expect(told).toEqual(Array.from({ length: told.length }, (_, index) => 100 - told.length + index));
    expect(newest.left_out).toEqual({ ...NOTHING, older: 100 - told.length });
    expect(JSON.stringify(newest.events).length).toBeLessThanOrEqual(2_000);
    expect([newest.cursor, newest.more]).toEqual(["e1:101", undefined]);
    expect(numbers((await read({ channel: "note:*", max_chars: 100_000 })).events)).toHaveLength(101);
  });

  test("goes on from a cursor in pages, and from the start where asked to", async () => {
    const { publish, read } = eventReader({ retention: { events: 1_000 } });
    for (let n = 1; n <= 400; n++) publish("note:1", "note.changed", { n });
    const seen: unknown[] = [];
    let page = await read({ channel: "note:1", since: "start" });
    seen.push(...numbers(page.events));
    while (page.more) {
      expect(page.cursor).toBe(`e1:${seen.at(-1)}`);
      page = await read({ channel: "note:1", since: page.cursor });
      seen.push(...numbers(page.events));
    }
    expect(seen).toEqual(Array.from({ length: 400 }, (_, index) => index + 1));
    const end = await read({ channel: "note:1", since: page.cursor });
    expect([end.events, end.cursor, end.more]).toEqual([[], "e1:400", undefined]);
  });

  test("tells repetitions once, with their number and the latest time, in either direction", async () => {
    const { clock, publish, read } = eventReader();
    publish("note:1", "note.changed", { text: "same" });
    publish("note:1", "note.changed", { text: "other" });
    clock.advance(1_000);
    publish("note:1", "note.added", { text: "same" });
    publish("note:2", "note.changed", { text: "same" });
    publish("note:1", "note.changed", { text: "same" });
    for (const since of [{}, { since: "start" }]) {
      const { events, left_out: leftOut } = await read({ channel: "note:*", ...since });
      expect(
        events.map(({ channel, event, data, seq, repeated }) => [channel, event, data.text, seq, repeated]),
      )
        .toEqual([
          ["note:1", "note.changed", "other", 2, undefined],
          ["note:1", "note.added", "same", 3, undefined],
          ["note:2", "note.changed", "same", 4, undefined],
          ["note:1", "note.changed", "same", 5, 2],
        ]);
      expect(events[3]!.timestamp).toBe("2026-01-01T00:00:01.000Z");
      expect(events[3]!.data["timestamp"]).toBe("2026-01-01T00:00:01.000Z");
      expect(leftOut).toEqual({ ...NOTHING, folded: 1 });
    }
  });

  test("tells only the newest of each key where a kind says that the newest stands for the older ones", async () => {
    const { publish, read } = eventReader();
    publish("gauge:1", "note.measured", { gauge: "words", n: 1 });
    publish("gauge:1", "note.measured", { gauge: "lines", n: 2 });
    publish("gauge:1", "note.measured", { gauge: "words", n: 3 });
    publish("gauge:1", "note.measured", { gauge: "words", n: 3 });
    publish("gauge:1", "note.measured", { n: 4, gauge: 9007199254740993n });
    for (const since of [{}, { since: "start" }]) {
      const { events, left_out: leftOut } = await read({ channel: "gauge:1", ...since });
      expect(events.map(({ data, repeated }) => [data["n"], repeated])).toEqual([
        [2, undefined],
        [3, 2],
        [4, undefined],
      ]);
      expect(leftOut).toEqual({ ...NOTHING, folded: 2 });
    }
  });

  test("tells only events of the names asked for, and goes past the others", async () => {
    const { publish, read } = eventReader({ retention: { events: 10_000 } });
    publish("note:1", "note.added", { n: 1 });
    for (let n = 0; n < 600; n++) publish("note:1", "note.changed", { n });
    for (const since of [{}, { since: "start" }]) {
      const found = await read({ channel: "note:1", events: ["note.added"], ...since });
      expect(numbers(found.events)).toEqual([1]);
      expect(found.left_out).toEqual({ ...NOTHING, filtered: 600 });
      expect([found.cursor, found.more]).toEqual(["e1:601", undefined]);
    }
  });

  test("says that there may be more where it has looked at as much as one call may", async () => {
    const { publish, read } = eventReader({ retention: { events: 20_000, bytes: 100_000_000 } });
    publish("note:1", "note.added", { n: 1 });
    for (let n = 0; n < 12_000; n++) publish("note:1", "note.changed", { n });
    const backwards = await read({ channel: "note:1", events: ["note.added"] });
    expect(backwards.events).toEqual([]);
    expect(backwards.left_out).toEqual({ ...NOTHING, older: 1, filtered: 4_096 });
    const since = backwards.cursor;
    publish("note:1", "note.added", { n: 2 });
    expect(numbers((await read({ channel: "note:1", events: ["note.added"], since })).events)).toEqual([2]);
    publish("note:1", "note.added", { n: 3 });
    const events = ["note.added"];
    const forwards = await read({ channel: "note:1", events, since: "e1:1" });
    expect([forwards.events, forwards.more]).toEqual([[], true]);
    expect(numbers((await read({ channel: "note:1", events, since: forwards.cursor })).events)).toEqual([
      2,
      3,
    ]);
  });

  test("is never stopped by an event that is larger than the answer", async () => {
    const { publish, read } = eventReader();
    publish("note:1", "note.changed", { n: 1 });
    publish("note:1", "note.changed", { n: 2, text: "x".repeat(50_000) });
    publish("note:1", "note.changed", { n: 3 });
    for (const since of [{}, { since: "start" }]) {
      const { events, left_out: leftOut } = await read({ channel: "note:1", max_chars: 1_000, ...since });
      expect(events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
      expect(events[1]!.data).toEqual({ data_too_large: expect.stringMatching(/^500\d\d characters$/) });
      expect(leftOut).toEqual({ ...NOTHING, too_large: 1 });
    }
    const large = await read({ channel: "note:1", max_chars: 60_000 });
    expect([numbers(large.events), large.left_out]).toEqual([[1, 2, 3], NOTHING]);
    const name = `note:${"y".repeat(250)}`;
    publish(name, "note.changed", { n: 1, text: "x".repeat(1_000) });
    publish(name, "note.changed", { n: 2, text: "x".repeat(1_000) });
    const first = await read({ channel: name, max_chars: 500, since: "start" });
    expect([first.events.length, first.more]).toEqual([1, true]);
    const second = await read({ channel: name, max_chars: 500, since: first.cursor });
    expect([second.events.length, second.more]).toEqual([1, undefined]);
  });

  test("says what it cannot tell, and goes on behind it", async () => {
    const { publish, read } = eventReader({ retention: { events: 3 } });
    for (let n = 1; n <= 10; n++) publish("note:1", "note.changed", { n });
    const lost = await read({ channel: "note:1", since: "e1:2" });
    expect([numbers(lost.events), lost.missed]).toEqual([[8, 9, 10], { from: 2, to: 7, cause: "history" }]);
    expect(lost.advice).toContain('get_status {"note_id":"1"}');
    expect((await read({ channel: "note:1", since: "start" })).missed).toBeUndefined();
    const epoch = await read({ channel: "note:1", since: "old:9" });
    expect([numbers(epoch.events), epoch.missed!.cause]).toEqual([[8, 9, 10], "epoch"]);
    const ahead = await read({ channel: "note:1", since: 11 });
    expect([ahead.events, ahead.missed, ahead.cursor]).toEqual([
      [],
      { from: 10, to: 10, cause: "ahead" },
      "e1:10",
    ]);
  });

  test("has nothing to tell of channels that keep nothing, and says so", async () => {
    const { publish, read } = eventReader();
    publish("pointer:1", "note.pointed");
    expect(await read({ channel: "pointer:1" })).toMatchObject({ events: [], cursor: "e1:1" });
    const later = await read({ channel: "pointer:1", since: "e1:0" });
    expect([later.events, later.missed]).toEqual([[], { from: 0, to: 1, cause: "ephemeral" }]);
    expect(later.advice).toContain("wait_for_event");
  });

  test("leaves for the next call what a distant broker has not brought yet", async () => {
    const clock = new RunningTicks();
    const { publish, read } = eventReader({ clock, createBroker: lateBroker(clock) });
    const ask = async (since: object) => {
      const answer = read({ channel: "note:1", ...since });
      for (let ms = 0; ms < 20; ms++) {
        await settled();
        clock.advance(1);
      }
      return await answer;
    };
    publish("note:1", "note.changed", { n: 1 });
    clock.advance(8);
    for (const [n, since] of [{}, { since: "start" }, { since: "e1:0" }].entries()) {
      // On its way, and in the history already.
      publish("note:1", "note.changed", { n: n + 2 });
      const { events, cursor } = await ask(since);
      expect([events.at(-1)!.data["n"], cursor]).toEqual([n + 1, `e1:${n + 1}`]);
    }
  });

  test("refuses what wait_for_event refuses", async () => {
    const { host, read } = eventReader();
    const refusal = async (data: object) => (await read({ channel: "note:1", ...data })).refusal;
    expect(await refusal({ channel: "x" })).toMatch(/^INVALID_CHANNEL: /);
    expect(await refusal({ events: ["note.aded"] })).toMatch(
      /^INVALID_DATA: Invalid data for read_events: .*'note.added'/,
    );
    expect(await refusal({ since: "x" })).toMatch(/^INVALID_DATA: Invalid data for read_events: since: /);
    for (const wrong of [{ max_chars: 499 }, { max_chars: 100_001 }, { max_chars: 600.5 }, { last: 1 }]) {
      expect(await refusal(wrong)).toMatch(/^INVALID_DATA: /);
    }
    Object.assign(host, { mayRead: () => false });
    expect(await refusal({})).toMatch(/^FORBIDDEN: Not authorized to read note:1\n/);
    host.live = null;
    Object.assign(host, { mayRead: () => true });
    expect(await refusal({})).toMatch(/^NOT_AVAILABLE: /);
  });
});
