import * as v from "valibot";
import { describe, expect, expectTypeOf, it } from "vitest";
import { MemoryBroker } from "../../src/broker/memory.ts";
import { MemoryJournal } from "../../src/broker/memory-journal.ts";
import type { Answers } from "../../src/ports/answers.ts";
import { type Call, localCall } from "../../src/ports/call.ts";
import type { Journal } from "../../src/ports/journal.ts";
import { silentLog } from "../../src/ports/log.ts";
import { defineContract } from "../../src/protocol/contract.ts";
import { encodeEvent } from "../../src/protocol/codec.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import type { SequencedEvent } from "../../src/protocol/event.ts";
import type { Commit } from "../../src/service/define-service.ts";
import { AnswerTable } from "../../src/storage/answer-table.ts";
import { createCommit } from "../../src/storage/commit.ts";
import { EventTable } from "../../src/storage/event-table.ts";
import { MemoryAnswers } from "../../src/storage/memory-answers.ts";
import { Pump } from "../../src/storage/pump.ts";
import { FakeClock } from "../support/fake-clock.ts";
import { newDatabase } from "./database-file.ts";

const contract = defineContract({
  name: "notes",
  ports: { http: 4000, websocket: 4010 },
  channels: {
    note: { description: "One note", id: "note_id" },
    cursor: { description: "Cursors", id: "note_id", ephemeral: true },
  },
  events: {
    "note.changed": {
      description: "Changed",
      channels: ["note", "global"],
      data: v.object({ note_id: v.string(), tags: v.optional(v.array(v.object({ name: v.string() })), []) }),
    },
    "note.seen": { description: "Seen", channels: ["note"], data: v.looseObject({ note_id: v.string() }) },
    "cursor.moved": { description: "Moved", channels: ["cursor"], data: v.object({ note_id: v.string() }) },
  },
  requests: {},
});

interface Bench {
  journal: Journal;
  answers: Answers;
}

async function withDatabase(clock: FakeClock): Promise<Bench> {
  const database = await newDatabase();
  return { journal: new EventTable({ database, clock }), answers: new AnswerTable({ database, clock }) };
}

function withoutDatabase(clock: FakeClock): Promise<Bench> {
  return Promise.resolve({ journal: new MemoryJournal({ clock }), answers: new MemoryAnswers({ clock }) });
}

const callOnce = (key: string): Call => ({ ...localCall(), once: { scope: "s", key, digest: "d" } });

describe.each([["with a database", withDatabase], ["in memory", withoutDatabase]])("commit %s", (_, open) => {
  async function make(options: { maxEventBytes?: number } = {}) {
    const clock = new FakeClock();
    const { journal, answers } = await open(clock);
    const broker = new MemoryBroker({ journal, onError: (error) => expect.fail(String(error)) });
    const pump = new Pump({ broker, clock, log: silentLog });
    const heard: { event: SequencedEvent; cause: symbol | undefined }[] = [];
    broker.subscribe((event, cause) => heard.push({ event, cause }));
    return {
      ...createCommit({ contract, journal, answers, pump, clock, ...options }),
      journal,
      answers,
      heard,
      broker,
    };
  }

  it("sends an event to each of its channels, with one id and two seqs, and keeps it", async () => {
    const { commit, heard, journal } = await make();
    const call = localCall();
    expect(commit((tx) => (tx.emit("note.changed", { note_id: "n" }), 7), call)).toBe(7);
    expect(heard.map(({ event }) => [event.channel, event.seq])).toEqual([["note:n", 1], ["global", 2]]);
    expect(heard[0]!.event.id).toBe(heard[1]!.event.id);
    expect(heard[0]!.event.data).toEqual({ note_id: "n", tags: [], timestamp: "2026-01-01T00:00:00.000Z" });
    expect(heard[0]!.event.timestamp).toBe("2026-01-01T00:00:00.000Z");
    expect(heard.map(({ cause }) => cause)).toEqual([call.cause, call.cause]);
    expect(journal.read({ channel: "note:n" }, 0, 10)).toEqual([heard[0]!.event]);
  });

  it("gives events the trace context of the call that they come of, joined ones that of the outermost", async () => {
    const { commit, publish, broadcastUpdate, heard, journal } = await make();
    const [outer, inner] = ["a", "b"].map((digit) => `00-${digit.repeat(32)}-${"1".repeat(16)}-01`);
    const [call, other] = [{ ...localCall(), traceparent: outer }, { ...localCall(), traceparent: inner }];
    const data = { note_id: "n" };
    commit((tx) => {
      tx.emit("note.changed", data);
      commit((joined) => joined.emit("note.seen", data));
      publish("cursor.moved", data);
      broadcastUpdate("note.seen", data, "note:n");
      commit((joined) => joined.emit("note.seen", data), other);
      publish("note.seen", data, localCall());
    }, call);
    publish("note.seen", data, call);
    publish("note.seen", data);
    const expected = [outer, outer, outer, outer, outer, inner, undefined, outer, undefined];
    expect(heard.map(({ event }) => event.traceparent)).toEqual(expected);
    const kept = [outer, outer, outer, inner, undefined, outer, undefined];
    expect(journal.read({ channel: "note:n" }, 0, 10).map((event) => event.traceparent)).toEqual(kept);
  });

  it("says nothing and keeps nothing when work throws", async () => {
    const { commit, heard, journal, answers } = await make();
    const call = callOnce("k");
    const fails = () =>
      commit((tx) => {
        tx.emit("note.changed", { note_id: "n" });
        throw new Refusal("CONFLICT", "no");
      }, call);
    expect(fails).toThrow("no");
    expect([heard, journal.head.seq, call.remembered, answers.find(call.once!)]).toEqual([
      [],
      0,
      false,
      undefined,
    ]);
  });

  it("names event, field and expectation where data does not fit", async () => {
    const { commit, heard, publish } = await make();
    const wrong = { note_id: "n", tags: [{ name: 5 }] } as never;
    expect(() => commit((tx) => tx.emit("note.changed", wrong))).toThrow(TypeError);
    expect(() => publish("note.changed", wrong)).toThrow(
      "Cannot emit 'note.changed': field 'tags.0.name' of its data does not fit: expected string, got 5",
    );
    expect(() => publish("nothing" as "note.seen", { note_id: "n" })).toThrow(
      "Cannot emit 'nothing': the contract has no event of this name",
    );
    expect(heard).toEqual([]);
  });

  it("refuses an event whose frame would be too large, at the bound", async () => {
    const { publish, heard } = await make();
    const text = "é".repeat((1_048_575 - 512 - 100) / 2 | 0);
    publish("note.seen", { note_id: "n", text });
    expect(new TextEncoder().encode(encodeEvent(heard[0]!.event)).length).toBeLessThan(1_048_576);
    expect(() => publish("note.seen", { note_id: "n", text: text + "é".repeat(60) })).toThrow(Refusal);
    expect(() => publish("note.seen", { note_id: "n", text: text + "é".repeat(60) })).toThrow(
      /^Event 'note.seen' would have \d+ bytes as a frame, at most 1048575 can be sent/,
    );
    expect(heard).toHaveLength(1);
    const traced = {
      ...localCall(),
      traceparent: `cc-${"a".repeat(32)}-${"b".repeat(16)}-01-${"x".repeat(200)}`,
    };
    expect(() => publish("note.seen", { note_id: "n", text }, traced)).toThrow(Refusal);
    publish("note.seen", { note_id: "n", text: text.slice(130) }, traced);
    expect(new TextEncoder().encode(encodeEvent(heard[1]!.event)).length).toBeLessThan(1_048_576);
  });

  it("remembers the answer with the change", async () => {
    const { commit, answers } = await make();
    const call = callOnce("k");
    commit(() => ({ id: "n", big: 2n ** 60n }), call);
    expect(call.remembered).toBe(true);
    expect(answers.find(call.once!)).toEqual({ digest: "d", answer: '{"id":"n","big":1152921504606846976}' });
  });

  it("joins commits inside a commit: one transaction, one order, nothing before the end", async () => {
    const { commit, publish, heard, answers } = await make();
    const [outer, inner] = [callOnce("outer"), callOnce("inner")];
    commit((tx) => {
      tx.emit("note.seen", { note_id: "1" });
      commit((nested) => nested.emit("note.seen", { note_id: "2" }), inner);
      publish("note.seen", { note_id: "3" });
      expect([heard.length, inner.remembered, answers.find(inner.once!)]).toEqual([0, false, undefined]);
    }, outer);
    expect(heard.map(({ event }) => event.channel)).toEqual(["note:1", "note:2", "note:3"]);
    expect(heard.map(({ cause }) => cause)).toEqual([outer.cause, inner.cause, outer.cause]);
    expect([outer.remembered, inner.remembered]).toEqual([true, true]);
  });

  it("undoes all when a joined commit has failed", async () => {
    const { commit, heard, journal, answers } = await make();
    const call = callOnce("k");
    expect(() =>
      commit((tx) => {
        tx.emit("note.seen", { note_id: "1" });
        commit(() => "inner", call);
        try {
          commit(() => {
            throw new Error("inner");
          });
        } catch {
          // Going on does not help.
        }
      })
    ).toThrow("Cannot commit: a call inside this transaction failed");
    expect([heard, journal.head.seq, answers.find(call.once!), call.remembered]).toEqual([
      [],
      0,
      undefined,
      false,
    ]);
  });

  it("refuses work that is asynchronous, and undoes it", async () => {
    const { commit, heard } = await make();
    let late: unknown;
    const work = async (tx: Parameters<Parameters<typeof commit>[0]>[0]) => {
      tx.emit("note.seen", { note_id: "1" });
      await Promise.resolve();
      try {
        tx.emit("note.seen", { note_id: "2" });
      } catch (error) {
        late = error;
        throw error;
      }
    };
    expect(() => commit(work)).toThrow(
      /^Cannot commit: work returned a promise, expected it to be synchronous/,
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(late).toMatchObject({
      message: "Cannot emit 'note.seen': its commit is over; emit before work returns",
    });
    expect(heard).toEqual([]);
  });

  it("delivers what a listener commits after the events that it hears of", async () => {
    const { commit, broker, heard } = await make();
    broker.subscribe(({ channel }) => {
      if (channel === "note:1") commit((tx) => tx.emit("note.seen", { note_id: "3" }));
    });
    commit((tx) => {
      tx.emit("note.seen", { note_id: "1" });
      tx.emit("note.seen", { note_id: "2" });
    });
    expect(heard.map(({ event }) => event.channel)).toEqual(["note:1", "note:2", "note:3"]);
  });

  it("delivers and keeps what the data was when it was emitted", async () => {
    const { commit, heard, journal } = await make();
    const mutable = { list: [1], at: new Date(0), none: undefined };
    commit((tx) => {
      tx.emit("note.seen", { note_id: "1", mutable });
      mutable.list.push(2);
    });
    const data = { note_id: "1", mutable: { list: [1], at: "1970-01-01T00:00:00.000Z" } };
    expect(heard[0]!.event.data).toMatchObject(data);
    expect(journal.read({ kind: "note" }, 0, 1)[0]!.data).toEqual(heard[0]!.event.data);
  });

  it("publishes events of ephemeral kinds without keeping them", async () => {
    const { publish, heard, journal } = await make();
    publish("cursor.moved", { note_id: "1" });
    publish("cursor.moved", { note_id: "1" });
    expect(heard.map(({ event }) => [event.seq, event.prev, event.ephemeral])).toEqual([[1, 0, true], [
      2,
      1,
      true,
    ]]);
    expect(journal.read({ kind: "cursor" }, 0, 10)).toEqual([]);
  });

  it("broadcastUpdate() sends to the one channel named, and nowhere where there is none", async () => {
    const { broadcastUpdate, heard } = await make();
    expect(broadcastUpdate("note.seen", { note_id: "1" }, "global")).toBe(true);
    for (const room of ["nothing", "note", "note:*", "", "global:1"]) {
      expect(broadcastUpdate("note.seen", { note_id: "1" }, room)).toBe(false);
    }
    expect(heard.map(({ event }) => event.channel)).toEqual(["global"]);
    expect(() => broadcastUpdate("note.seen", {} as never, "global")).toThrow(TypeError);
  });

  it("has the type that a manager is given", async () => {
    const { commit } = await make();
    expectTypeOf(commit).toExtend<Commit<typeof contract>>();
  });
});
