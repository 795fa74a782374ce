/**
 * A client in `doc:a` and in `doc:*`: one frame for each event, none missing, in order, however it joins and leaves.
 */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Broker } from "../../src/broker/broker.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import { type Bench, createBench } from "../support/connection-bench.ts";

type Step =
  | {
    readonly do: "join";
    readonly name: string;
    readonly back: number | null;
    readonly filter: string[] | null;
  }
  | { readonly do: "leave"; readonly name: string }
  | { readonly do: "publish"; readonly doc: string; readonly event: "doc.changed" | "doc.noted" }
  | { readonly do: "wait"; readonly ms: number };

const name = fc.constantFrom("doc:a", "doc:b", "doc:*");
const event = fc.constantFrom("doc.changed" as const, "doc.noted" as const);
const publish = fc.record({ do: fc.constant("publish" as const), doc: fc.constantFrom("a", "b"), event });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: publish },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("join" as const),
      name,
      back: fc.option(fc.nat(12)),
      filter: fc.option(fc.uniqueArray(event, { minLength: 1 })),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("leave" as const), name }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(0, 5, 10, 30) }),
  },
);

/** What one subscription promised, from its join to its end. Moments count joins and leaves. */
interface Stay {
  readonly name: string;
  readonly start: number;
  readonly joinedAt: number;
  readonly filter: ReadonlySet<string> | null;
  readonly from: number;
  to: number;
  lastSeq: number;
  /** False where it ended while its past was still under way. */
  complete: boolean;
}

/** Reads the past in small bites that take their time, as a distant broker does. */
function distant(inner: Broker, bench: () => Bench): Broker {
  return Object.create(inner, {
    position: { get: () => inner.position },
    evicted: { value: inner.evicted.bind(inner) },
    tail: { value: inner.tail.bind(inner) },
    read: {
      value: (scope: Parameters<Broker["read"]>[0], after: number) =>
        new Promise((resolve) => bench().clock.after(10, () => resolve(inner.read(scope, after, 3)))),
    },
  });
}

/** Write down every join and leave, with the head of the service at that moment. */
function watch(bench: Bench): Stay[] {
  const { hub, journal } = bench;
  const stays: Stay[] = [];
  let moment = 0;
  const end = (name: string, live: boolean): void => {
    const stay = stays.find((other) => other.name === name && other.to === Infinity);
    if (stay) Object.assign(stay, { to: moment, lastSeq: journal.head.seq, complete: live });
  };
  const [join, leave] = [hub.join.bind(hub), hub.leave.bind(hub)];
  hub.join = (member, place, options) => {
    moment++;
    end(place.name, hub.subscriptions(member).get(place.name)?.live ?? true);
    const { start, joinedAt, filter } = options;
    stays.push({
      name: place.name,
      start,
      joinedAt,
      filter,
      from: moment,
      to: Infinity,
      lastSeq: Infinity,
      complete: true,
    });
    return join(member, place, options);
  };
  hub.leave = (member, name) => {
    moment++;
    end(name, hub.subscriptions(member).get(name)?.live ?? true);
    return leave(member, name);
  };
  return stays;
}

test("overlapping subscriptions bring every event once and in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 40 }), async (steps) => {
      const bench: Bench = createBench({
        retention: { events: 500 },
        broker: (inner) => distant(inner, () => bench),
      });
      const stays = watch(bench);
      const all: SequencedEvent[] = [];
      bench.broker.subscribe((event) => void all.push(event));
      const client = bench.connect();
      let n = 0;
      for (const one of steps) {
        if (one.do === "publish") bench.publish(one.event, { doc_id: one.doc, n: ++n });
        else if (one.do === "leave") client.send({ type: "unsubscribe", room: one.name });
        else if (one.do === "wait") {
          bench.clock.advance(one.ms);
          for (let turn = 0; turn < 8; turn++) await Promise.resolve();
        } else {
          const since = one.back === null ? {} : { since: { epoch: "e1", seq: Math.max(0, n - one.back) } };
          const events = one.filter ? { events: one.filter } : {};
          client.send({ type: "subscribe", data: { channel: one.name, ...since, ...events } });
        }
      }
      for (let round = 0; round < 60; round++) {
        await bench.settle();
        bench.clock.advance(10);
      }

      const covers = (stay: Stay, event: SequencedEvent) =>
        (stay.name === event.channel || stay.name === "doc:*") &&
        event.seq > stay.start && event.seq <= stay.lastSeq && (stay.filter?.has(event.event) ?? true);
      for (const event of all) {
        const times = client.frames.filter(({ seq, type }) => type === "event" && seq === event.seq).length;
        const covering = stays.filter((stay) => covers(stay, event));
        // A past that was asked for comes once more, unless another subscription that is there has brought it.
        const asked = covering.filter((stay) =>
          event.seq <= stay.joinedAt &&
          !covering.some((other) => other !== stay && other.from < stay.from && other.to > stay.from)
        ).length;
        const live = covering.some((stay) => event.seq > stay.joinedAt) ? 1 : 0;
        const must = covering.some((stay) => stay.complete) ? 1 : 0;
        expect(times, `event ${event.seq} of ${event.channel}`).toBeGreaterThanOrEqual(must);
        expect(times, `event ${event.seq} of ${event.channel}`).toBeLessThanOrEqual(asked + live);
      }
      const newest = new Map<string, number>();
      for (const { type, event, data, room, seq } of client.frames) {
        if (type !== "event") {
          // What is asked for anew may begin in the past.
          if (event === "subscribe") data.channel === "doc:*" ? newest.clear() : newest.delete(data.channel);
          continue;
        }
        expect(event).not.toBe("gap");
        expect(seq).toBeGreaterThan(newest.get(room) ?? 0);
        newest.set(room, seq);
      }
    }),
    { numRuns: 300 },
  );
}, 60_000);
