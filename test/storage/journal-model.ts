/**
 * One suite over every journal: does it what a plain array does? The model keeps all events for ever and works out from
 * the bounds which of them may be read.
 *
 * @module
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Journal, Retention, Scope } from "../../src/ports/journal.ts";
import type { EventDraft, SequencedEvent } from "../../src/protocol/event.ts";
import { FakeClock } from "../support/fake-clock.ts";

export interface JournalUnderTest {
  readonly journal: Journal;
  /** End the process, orderly or not, and start again. Absent where nothing survives it. */
  restart?(orderly: boolean): Promise<Journal>;
  end(): void;
}

export interface JournalSetup {
  readonly clock: FakeClock;
  readonly retentionOf: (kind: string) => Retention;
  readonly maxBytes: number;
}

export type OpenJournal = (setup: JournalSetup) => Promise<JournalUnderTest>;

const CHANNELS = ["a:1", "a:2", "a:2:x", "b:1", "solo"];
const KINDS = ["a", "b", "solo"];
const SCOPES: Scope[] = [
  ...CHANNELS.map((channel) => ({ channel })),
  ...KINDS.map((kind) => ({ kind })),
  { channel: "a:unknown" },
  { kind: "unknown" },
];

const kindOf = (channel: string) => channel.split(":")[0]!;
const sizeOf = (draft: EventDraft) =>
  new TextEncoder().encode(JSON.stringify(draft.data)).length + draft.channel.length + draft.event.length +
  128;

interface Stored {
  readonly event: SequencedEvent;
  readonly at: number;
  readonly bytes: number;
  gone: boolean;
}

class Model {
  seq = 0;
  stored: Stored[] = [];
  last = new Map<string, number>();
  /** Whether events have become too old: what is too old may stay for a while, and is counted then. */
  aged = false;
  readonly #setup: JournalSetup;
  readonly epoch: string;

  constructor(setup: JournalSetup, epoch: string) {
    this.#setup = setup;
    this.epoch = epoch;
  }

  append(drafts: readonly EventDraft[]): SequencedEvent[] {
    const events = drafts.map((draft) => {
      const event = { ...draft, epoch: this.epoch, seq: ++this.seq, prev: this.last.get(draft.channel) ?? 0 };
      this.last.set(draft.channel, event.seq);
      if (draft.ephemeral) return event;
      this.stored.push({ event, at: this.#setup.clock.now(), bytes: sizeOf(draft), gone: false });
      this.#bound(draft.channel);
      return event;
    });
    this.#age();
    const kept = this.stored.filter(({ gone }) => !gone);
    let bytes = kept.reduce((sum, entry) => sum + entry.bytes, 0);
    for (const entry of kept) {
      if (bytes <= this.#setup.maxBytes) break;
      entry.gone = true;
      bytes -= entry.bytes;
    }
    return events;
  }

  in(scope: Scope): Stored[] {
    this.#age();
    return this.stored.filter(({ event }) =>
      "kind" in scope ? kindOf(event.channel) === scope.kind : event.channel === scope.channel
    );
  }

  kept(scope: Scope): SequencedEvent[] {
    return this.in(scope).filter(({ gone }) => !gone).map(({ event }) => event);
  }

  get size(): { events: number; bytes: number } {
    this.#age();
    const kept = this.stored.filter(({ gone }) => !gone);
    return { events: kept.length, bytes: kept.reduce((sum, { bytes }) => sum + bytes, 0) };
  }

  evicted(scope: Scope): number {
    return Math.max(0, ...this.in(scope).filter(({ gone }) => gone).map(({ event }) => event.seq));
  }

  channels(): { channel: string; seq: number }[] {
    const newest = new Map(this.stored.map(({ event }) => [event.channel, event.seq]));
    return [...newest].map(([channel, seq]) => ({ channel, seq })).sort((x, y) => y.seq - x.seq);
  }

  save(): () => void {
    const [seq, last, stored] = [this.seq, new Map(this.last), this.stored.map((entry) => ({ ...entry }))];
    return () => {
      this.seq = seq;
      this.last = last;
      this.stored = stored;
    };
  }

  /** A new process does not know of ephemeral events. */
  restarted(seq: number): void {
    this.seq = seq;
    this.last = new Map(this.stored.map(({ event }) => [event.channel, event.seq]));
  }

  #bound(channel: string): void {
    const bounds = this.#setup.retentionOf(kindOf(channel));
    let [count, bytes] = [0, 0];
    for (const entry of this.stored.filter(({ event }) => event.channel === channel).reverse()) {
      count++;
      bytes += entry.bytes;
      if (count > bounds.events || bytes > bounds.bytes) entry.gone = true;
    }
  }

  #age(): void {
    for (const entry of this.stored) {
      const { ageMs } = this.#setup.retentionOf(kindOf(entry.event.channel));
      if (this.#setup.clock.now() - entry.at > ageMs) entry.gone = this.aged = true;
    }
  }
}

let lastId = 0;
const draft = fc.record({
  channel: fc.constantFrom(...CHANNELS),
  event: fc.constantFrom("x.happened", "y.happened"),
  data: fc.dictionary(
    fc.constantFrom("p", "ü"),
    fc.oneof(fc.string({ maxLength: 40 }), fc.integer(), fc.constant(null)),
  ),
  ephemeral: fc.constant(false),
  trace: fc.boolean(),
});
const ephemeral = draft.map((one) => ({ ...one, ephemeral: true }));
const drafts = fc.array(
  fc.oneof({ weight: 4, arbitrary: draft }, { weight: 1, arbitrary: ephemeral }).map((
    { trace, ...one },
  ): EventDraft => ({
    id: `id-${++lastId}`,
    ...one,
    data: { ...one.data },
    timestamp: "2026-01-01T00:00:00.000Z",
    ...(trace ? { traceparent: "00-x" } : {}),
  })),
  { maxLength: 5 },
);
const command = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("append" as const), drafts }) },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant("transaction" as const),
      steps: fc.array(drafts, { maxLength: 3 }),
      fails: fc.boolean(),
      nested: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant("advance" as const), ms: fc.integer({ min: 0, max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("restart" as const), orderly: fc.boolean() }) },
);

const bounds = (ageMs: fc.Arbitrary<number>) =>
  fc.record({
    events: fc.integer({ min: 0, max: 5 }),
    ageMs,
    bytes: fc.oneof(fc.integer({ min: 100, max: 900 }), fc.constant(Infinity)),
  });
const age = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.constant(Infinity));
/** The cap judges kinds of one age exactly; of kinds that differ it may keep less. */
const setups = fc.oneof(
  fc.record({
    kinds: fc.array(bounds(age), { minLength: 3, maxLength: 3 }),
    maxBytes: fc.constant(Infinity),
  }),
  age.chain((same) =>
    fc.record({
      kinds: fc.array(bounds(fc.constant(same)), { minLength: 3, maxLength: 3 }),
      maxBytes: fc.integer({ min: 100, max: 2000 }),
    })
  ),
);

/** The first of the events, as many as come to at most so many bytes, and one in any case. */
function fitting(events: readonly SequencedEvent[], limit: number, maxBytes: number): SequencedEvent[] {
  let bytes = 0;
  const tooMuch = events.findIndex((event, index) => (bytes += sizeOf(event)) > maxBytes && index > 0);
  return events.slice(0, tooMuch < 0 ? limit : Math.min(limit, tooMuch));
}

function compare(journal: Journal, model: Model, random: number): void {
  expect(journal.head).toEqual({ epoch: model.epoch, seq: model.seq });
  const { events, bytes } = model.size;
  if (!model.aged) expect(journal.size).toEqual({ events, bytes });
  expect(journal.size.events).toBeGreaterThanOrEqual(events);
  expect(journal.size.bytes).toBeGreaterThanOrEqual(bytes);
  const after = Math.floor(random * (model.seq + 2));
  const limit = Math.floor(random * 7);
  for (const scope of SCOPES) {
    const kept = model.kept(scope);
    expect(journal.read(scope, 0, 1_000)).toEqual(kept);
    expect(journal.read(scope, after, limit)).toEqual(kept.filter(({ seq }) => seq > after).slice(0, limit));
    expect(journal.last(scope, limit)).toEqual(limit === 0 ? [] : kept.slice(-limit));
    expect(journal.evicted(scope)).toBe(model.evicted(scope));
    const maxBytes = Math.floor(random * 1_200);
    const newer = kept.filter(({ seq }) => seq > after);
    expect(journal.read(scope, after, 7, maxBytes)).toEqual(fitting(newer, 7, maxBytes));
    expect(journal.last(scope, 7, maxBytes)).toEqual(fitting([...kept].reverse(), 7, maxBytes).reverse());
    const whole = kept.filter(({ seq }) => seq > model.evicted(scope));
    for (const count of [limit, 1e9]) {
      const first = count === 0 ? undefined : whole.slice(-count)[0];
      expect(journal.tail(scope, count)).toBe(first ? first.seq - 1 : null);
    }
  }
  expect(journal.channels(100)).toEqual(model.channels());
  expect(journal.channels(2)).toEqual(model.channels().slice(0, 2));
  for (const kind of new Set(model.channels().map(({ channel }) => channel.split(":")[0]!))) {
    const ofKind = model.channels().filter(({ channel }) => channel.split(":")[0] === kind);
    expect(journal.channels(100, kind)).toEqual(ofKind);
    expect(journal.channels(1, kind)).toEqual(ofKind.slice(0, 1));
  }
  expect(journal.channels(100, "nothing")).toEqual([]);
}

class Undone extends Error {}

function runTransaction(
  journal: Journal,
  model: Model,
  { steps, fails, nested }: { steps: EventDraft[][]; fails: boolean; nested: boolean },
): void {
  const restore = model.save();
  const work = () => {
    for (const step of steps) {
      const append = () => journal.append(step);
      expect(nested ? journal.transaction(append) : append()).toEqual(model.append(step));
      compare(journal, model, 0.5);
    }
    if (fails) throw new Undone();
    return "done";
  };
  if (!fails) {
    expect(journal.transaction(work)).toBe("done");
    return;
  }
  expect(() => journal.transaction(nested ? () => journal.transaction(work) : work)).toThrow(Undone);
  restore();
}

export function describeJournal(name: string, open: OpenJournal, runs: number): void {
  describe(`${name} as a journal`, () => {
    it("does what a plain array does, whatever is appended, undone, aged and restarted", async () => {
      await fc.assert(
        fc.asyncProperty(
          setups,
          fc.array(command, { maxLength: 25 }),
          fc.double({ min: 0, max: 1, noNaN: true }),
          async (
            { kinds, maxBytes },
            commands,
            random,
          ) => {
            const clock = new FakeClock();
            const setup = {
              clock,
              maxBytes,
              retentionOf: (kind: string) => kinds[KINDS.indexOf(kind)] ?? kinds[0]!,
            };
            const under = await open(setup);
            try {
              let journal = under.journal;
              const model = new Model(setup, journal.head.epoch);
              for (const step of commands) {
                if (step.type === "append") {
                  expect(journal.append(step.drafts)).toEqual(
                    model.append(step.drafts),
                  );
                } else if (step.type === "advance") clock.advance(step.ms);
                else if (step.type === "transaction") runTransaction(journal, model, step);
                else if (under.restart) {
                  journal = await under.restart(step.orderly);
                  if (step.orderly) expect(journal.head.seq).toBe(model.seq);
                  else expect(journal.head.seq).toBeGreaterThanOrEqual(model.seq);
                  model.restarted(journal.head.seq);
                }
                compare(journal, model, random);
              }
            } finally {
              under.end();
            }
          },
        ),
        { numRuns: runs },
      );
    });

    it("undoes all when a joined transaction has failed, even if that was caught", async () => {
      const under = await open({
        clock: new FakeClock(),
        maxBytes: Infinity,
        retentionOf: () => ({ events: 10, ageMs: Infinity, bytes: Infinity }),
      });
      const { journal } = under;
      const one: EventDraft = {
        id: "1",
        channel: "a:1",
        event: "e",
        data: {},
        timestamp: "",
        ephemeral: false,
      };
      expect(() =>
        journal.transaction(() => {
          journal.append([one]);
          try {
            journal.transaction(() => {
              throw new Undone("inner");
            });
          } catch {
            // Going on is what must not help.
          }
        })
      ).toThrow("Cannot commit: a call inside this transaction failed");
      expect(journal.head.seq).toBe(0);
      expect(journal.append([one])).toMatchObject([{ seq: 1, prev: 0 }]);
      under.end();
    });

    it("gives back all of a large transaction that failed and loses none that was kept", async () => {
      const under = await open({
        clock: new FakeClock(),
        maxBytes: Infinity,
        retentionOf: () => ({ events: 256, ageMs: Infinity, bytes: Infinity }),
      });
      const { journal } = under;
      const many = (count: number): EventDraft[] =>
        Array.from({ length: count }, (_, i) => ({
          id: `${i}`,
          channel: `a:${i % 3}`,
          event: "e",
          data: { i },
          timestamp: "",
          ephemeral: i % 7 === 0,
        }));
      journal.append(many(600));
      const before = [journal.read({ kind: "a" }, 0, 10_000), journal.evicted({ kind: "a" }), journal.head];
      expect(() =>
        journal.transaction(() => {
          journal.append(many(9_000));
          throw new Undone();
        })
      ).toThrow(Undone);
      expect([journal.read({ kind: "a" }, 0, 10_000), journal.evicted({ kind: "a" }), journal.head]).toEqual(
        before,
      );
      expect(journal.append(many(1))[0]!.seq).toBe(601);
      under.end();
    });
  });
}
