import { describe, expect, test } from "vitest";
import type { Broker } from "../../src/broker/broker.ts";
import { Canary } from "../../src/broker/canary.ts";
import { MemoryBroker } from "../../src/broker/memory.ts";
import { MemoryJournal } from "../../src/broker/memory-journal.ts";
import { lineLog } from "../../src/ports/log.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { Pump } from "../../src/storage/pump.ts";
import { FakeClock } from "../support/fake-clock.ts";

type Publish = Broker["publish"];

/** @param through How the broker's `publish` is come by, given the one of the real broker. */
function makeCanary(through: (publish: Publish) => Publish = (publish) => publish) {
  const clock = new FakeClock();
  const lines: string[] = [];
  const log = lineLog({ level: "info", write: (line) => lines.push(line) });
  const journal = new MemoryJournal({ clock });
  const broker = new MemoryBroker({ journal, onError: (error) => lines.push(String(error)) });
  /** What was handed to the broker, try by try. */
  const tried: string[] = [];
  const publish = through((events, cause) => broker.publish(events, cause));
  const pump = new Pump({
    broker: {
      publish(events, cause) {
        tried.push(...events.map(({ id }) => id));
        return publish(events, cause);
      },
    },
    clock,
    log,
  });
  const canary = new Canary({ journal, broker, pump, clock, log });
  return { clock, lines, journal, broker, tried, pump, canary };
}

/** Advance when what waits for promises has run. */
async function advance(clock: FakeClock, ms: number): Promise<void> {
  await Promise.resolve();
  clock.advance(ms);
}

const late = { alive: false, reason: "An event did not come back from the broker within 2 seconds" };

describe("Canary", () => {
  test("comes back from a broker that delivers at once, and leaves no timer and no listener", async () => {
    const { canary, clock, tried, lines } = makeCanary();
    expect(await canary.check()).toEqual({ alive: true });
    expect(clock.pending).toBe(0);
    expect(tried).toHaveLength(1);
    expect(lines).toEqual([]);
  });

  test("is kept in no history, and takes one seq that every other event leaves out", async () => {
    const { canary, journal, broker, pump } = makeCanary();
    const heard: SequencedEvent[] = [];
    broker.subscribe((event) => void heard.push(event));
    const draft = { channel: "a:1", event: "e", data: {}, timestamp: "now", ephemeral: false };
    const say = () => pump.push(journal.append([{ ...draft, id: crypto.randomUUID() }]));
    say();
    await canary.check();
    say();
    expect(heard.map(({ channel, seq, prev }) => [channel, seq, prev])).toEqual([
      ["a:1", 1, 0],
      ["$canary", 2, 0],
      ["a:1", 3, 1],
    ]);
    expect(journal.channels(10)).toEqual([{ channel: "a:1", seq: 3 }]);
    expect(journal.read({ kind: "$canary" }, 0, 10)).toEqual([]);
    expect(journal.read({ channel: "$canary" }, 0, 10)).toEqual([]);
    expect(broker.position.seq).toBe(3);
  });

  test("is shared by all who ask meanwhile, and its verdict holds for a second", async () => {
    let release = () => {};
    const { canary, clock, tried } = makeCanary((publish) => (events, cause) =>
      new Promise((resolve) => {
        release = () => resolve(publish(events, cause));
      })
    );
    const asked = [canary.check(), canary.check(), canary.check()];
    release();
    expect(await Promise.all(asked)).toEqual([{ alive: true }, { alive: true }, { alive: true }]);
    expect(tried).toHaveLength(1);
    clock.advance(999);
    expect(await canary.check()).toEqual({ alive: true });
    expect(tried).toHaveLength(1);
    clock.advance(1);
    const again = canary.check();
    release();
    expect(await again).toEqual({ alive: true });
    expect(tried).toHaveLength(2);
  });

  test("says after two seconds that a broker loses events, and once in the log", async () => {
    let loses = true;
    const { canary, clock, lines, tried } = makeCanary((publish) => (events, cause) => {
      if (!loses) return publish(events, cause);
    });
    const first = canary.check();
    await advance(clock, 1_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await first).toEqual(late);
    // For a second the verdict is the same without a new event.
    loses = false;
    clock.advance(999);
    expect(await canary.check()).toEqual(late);
    expect(tried).toHaveLength(1);
    clock.advance(1);
    expect(await canary.check()).toEqual({ alive: true });
    expect(lines.map((line) => line.replace(/^\S+ /, ""))).toEqual([
      expect.stringContaining("Events do not get through"),
      expect.stringContaining("Events get through again"),
    ]);
  });

  test("waits in a broker that is stuck as one event, however often it is asked for", async () => {
    let release = () => {};
    let stuck = true;
    const { canary, clock, pump, journal, tried } = makeCanary((publish) => (events, cause) => {
      if (!stuck) return publish(events, cause);
      return new Promise((resolve) => release = () => resolve(publish(events, cause)));
    });
    for (let round = 0; round < 5; round++) {
      const asked = canary.check();
      await advance(clock, 2_000);
      expect(await asked).toEqual(late);
      clock.advance(1_000);
    }
    expect(pump.waiting).toBe(1);
    expect(journal.head.seq).toBe(1);
    stuck = false;
    const asked = canary.check();
    release();
    expect(await asked).toEqual({ alive: true });
    expect(tried).toHaveLength(1);
    expect(pump.waiting).toBe(0);
  });

  test("is tried again with everything else where the broker refuses it for a while", async () => {
    let refuses = true;
    const { canary, clock, tried } = makeCanary((publish) => (events, cause) =>
      refuses ? Promise.reject(new Error("not now")) : publish(events, cause)
    );
    const asked = canary.check();
    await expect.poll(() => clock.pending).toBe(2);
    refuses = false;
    clock.advance(100);
    expect(await asked).toEqual({ alive: true });
    expect(new Set(tried).size).toBe(1);
    expect(tried).toHaveLength(2);
  });

  test("is not fooled by another event, nor by one of an earlier question", async () => {
    const kept: SequencedEvent[][] = [];
    const { canary, clock, broker, journal, pump } = makeCanary(() => (events) => {
      kept.push([...events]);
    });
    const first = canary.check();
    await advance(clock, 2_000);
    expect(await first).toEqual(late);
    clock.advance(1_000);
    const second = canary.check();
    const draft = { channel: "a:1", event: "e", data: {}, timestamp: "now", ephemeral: false };
    pump.push(journal.append([{ ...draft, id: crypto.randomUUID() }]));
    expect(kept).toHaveLength(3);
    broker.publish(kept[0]!);
    broker.publish(kept[2]!);
    await advance(clock, 2_000);
    expect(await second).toEqual(late);
  });

  test("tells a journal that gives no positions, and stays harmless", async () => {
    const { canary, journal, lines, clock } = makeCanary();
    journal.close();
    expect(await canary.check()).toEqual({
      alive: false,
      reason: "No event can be given a position: the log says why",
    });
    expect(lines.join("\n")).toContain("the journal is closed");
    expect(clock.pending).toBe(0);
  });

  test("ends the wait when it is closed, and asks no more", async () => {
    const { canary, clock, tried } = makeCanary(() => () => new Promise(() => {}));
    const asked = canary.check();
    canary.close();
    const closed = { alive: false, reason: "The broker is closed" };
    expect(await asked).toEqual(closed);
    expect(await canary.check()).toEqual(closed);
    expect(tried).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
