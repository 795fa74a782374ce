/**
 * What cursors promise: a chain of calls sees each event once, whatever happens between and during the calls.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lateBroker } from "../delivery/late-broker.ts";
import { eventReader, type EventsAnswer, RunningTicks, settled } from "./event-reader.ts";

const CHANNELS = ["note:1", "note:2", "global"] as const;
const NAMES = ["note.added", "note.changed"] as const;

interface Publish {
  readonly channel: number;
  readonly name: number;
  readonly value: number;
}

type Step = Publish | "call" | { readonly waitMs: number };

const publishes = fc.record({ channel: fc.nat(2), name: fc.nat(1), value: fc.nat(2) });
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: publishes },
    { weight: 3, arbitrary: fc.constant<"call">("call") },
    { weight: 3, arbitrary: fc.record({ waitMs: fc.nat(12) }) },
  ),
  { maxLength: 60 },
);
const wishes = fc.record({
  channel: fc.constantFrom("note:1", "note:*"),
  named: fc.boolean(),
  matched: fc.boolean(),
  distant: fc.boolean(),
  fromStart: fc.boolean(),
});

function world(distant: boolean) {
  const clock = new RunningTicks();
  const reader = eventReader({ clock, ...(distant ? { createBroker: lateBroker(clock) } : {}) });
  const published: (Publish & { seq: number })[] = [];
  return {
    ...reader,
    clock,
    published,
    async take(step: Exclude<Step, "call">): Promise<void> {
      if ("waitMs" in step) {
        for (let ms = 0; ms < step.waitMs; ms++) {
          clock.advance(1);
          await settled();
        }
        return;
      }
      const { channel, name, value } = step;
      const { seq } = reader.publish(CHANNELS[channel]!, NAMES[name]!, { value });
      published.push({ ...step, seq });
    },
    /** The answer, however long the broker takes. */
    async soon(answer: Promise<EventsAnswer>): Promise<EventsAnswer> {
      let answered = false;
      const watched = answer.finally(() => answered = true);
      for (await settled(); !answered; await settled()) clock.advance(1);
      return await watched;
    },
  };
}

describe("a chain of calls by cursor", () => {
  test("of wait_for_event sees every event that fits once and in order", async () => {
    await fc.assert(
      fc.asyncProperty(steps, wishes, async (steps, { channel, named, matched, distant, fromStart }) => {
        const { publish: _, ...its } = world(distant);
        const data = {
          channel,
          ...(named ? { events: ["note.changed"] } : {}),
          ...(matched ? { match: { value: [1, 2] } } : {}),
        };
        const seen: number[] = [];
        let cursor = fromStart ? "start" : "e1:0";
        const learn = (answer: EventsAnswer) => {
          expect(answer.outcome).not.toBe("truncated");
          if (answer.event) seen.push(answer.event.seq);
          cursor = answer.cursor;
        };
        let under: Promise<void> | null = null;
        for (const step of steps) {
          if (step === "call") {
            under ??= its.wait({ ...data, since: cursor, timeout: 0.01 }).then((answer) => {
              learn(answer);
              under = null;
            });
          } else await its.take(step);
          await settled();
        }
        while (under) await its.take({ waitMs: 1 });
        await its.take({ waitMs: 20 });
        for (;;) {
          const answer = await its.soon(its.wait({ ...data, since: cursor, timeout: 0 }));
          learn(answer);
          if (answer.outcome === "timeout") break;
        }
        const fitting = its.published.filter(({ channel: index, name, value }) =>
          (channel === "note:*" ? index < 2 : index === 0) && (!named || name === 1) &&
          (!matched || value > 0)
        );
        expect(seen).toEqual(fitting.map(({ seq }) => seq));
        expect(its.held()).toBe(0);
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  test("of read_events has every event once in an answer, or counted there", async () => {
    const sizes = fc.array(fc.integer({ min: 500, max: 1_500 }), { minLength: 60, maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(steps, sizes, wishes, async (steps, sizes, { channel, named, distant, fromStart }) => {
        const { publish: _, ...its } = world(distant);
        const data = { channel, ...(named ? { events: ["note.changed"] } : {}) };
        let cursor = fromStart ? "start" : "e1:0";
        let [told, filtered, newest] = [0, 0, 0];
        const page = async (size: number): Promise<EventsAnswer> => {
          const answer = await its.soon(its.read({ ...data, since: cursor, max_chars: size }));
          const seqs = answer.events.map(({ seq }) => seq);
          expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
          for (const { seq, repeated = 1 } of answer.events) {
            expect(seq).toBeGreaterThan(newest);
            told += repeated;
          }
          newest = seqs.at(-1) ?? newest;
          filtered += answer.left_out.filtered;
          expect(answer.missed).toBeUndefined();
          cursor = answer.cursor;
          return answer;
        };
        for (const [index, step] of steps.entries()) {
          if (step === "call") await page(sizes[index]!);
          else await its.take(step);
        }
        await its.take({ waitMs: 20 });
        while ((await page(1_000)).more);
        const there = its.published.filter(({ channel: index }) =>
          channel === "note:*" ? index < 2 : index === 0
        );
        const fitting = there.filter(({ name }) => !named || name === 1);
        expect(told).toBe(fitting.length);
        expect(filtered).toBe(there.length - fitting.length);
        expect(newest).toBe(fitting.at(-1)?.seq ?? 0);
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});
