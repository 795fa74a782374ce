import { describe, expect, it } from "vitest";
import { Committed, type CommittedEvent } from "./committed.ts";
import { judge } from "./judge.ts";
import type { Heard, Operation, Transcript } from "./record.ts";

const EPOCH = "e1";

/** The events of `doc:a` with these seqs, each asked for by an operation of its number. */
function commit(...seqs: number[]): CommittedEvent[] {
  return seqs.map((seq, index) => ({
    seq,
    prev: seqs[index - 1] ?? 0,
    channel: "doc:a",
    id: `id-${seq}`,
    event: "doc.edited",
    timestamp: "2026-01-01T00:00:00.000Z",
    data: { doc_id: "a", n: seq, part: 0 },
  }));
}

function operationOf({ seq, channel, event, data }: CommittedEvent): Operation {
  const causes = [{ channel, event, data }];
  const frame = { type: "request", event: "edit", data };
  return { n: seq, reader: "r", by: "edit", frame, causes, keyed: false, answered: true, sent: 1 };
}

const frameOf = (event: CommittedEvent): Heard => {
  const { seq, prev, channel: room, id, event: name, timestamp, data } = event;
  return {
    type: "event",
    correlation_id: null,
    event: name,
    room,
    id,
    timestamp,
    data,
    seq,
    prev,
    epoch: EPOCH,
  };
};

const ask = (since?: number): { out: Heard } => {
  const data = { channel: "doc:a", ...(since === undefined ? {} : { since: { epoch: EPOCH, seq: since } }) };
  return { out: { type: "request", id: "s", event: "subscribe", data } };
};

const reply = (seq: number, more: Heard = {}): { in: Heard } => {
  const data = { channel: "doc:a", epoch: EPOCH, seq, ...more };
  return { in: { type: "response", correlation_id: "s", event: "subscribe", room: null, data } };
};

const snapshot = (...labels: string[]): Heard => ({ snapshot: { doc_id: "a", happened: labels } });

const gap = (from: number, to: number): { in: Heard } => ({
  in: { ...frameOf(commit(to)[0]!), event: "gap", data: { from, to, cause: "history" }, prev: undefined },
});

/** What the judge says of one connection that is open in the end; null where it finds nothing. */
function verdict(
  events: CommittedEvent[],
  entries: Transcript["entries"],
  { end = null, asked = events }: { end?: Transcript["end"]; asked?: CommittedEvent[] } = {},
): string | null {
  const transcript: Transcript = { name: "r", entries, end, own: false, stalled: false };
  try {
    judge({
      readers: [{ name: "r", isStrict: false, transcripts: [transcript], stays: [] }],
      operations: asked.map(operationOf),
      committed: new Committed(EPOCH, events),
      prompt: true,
    });
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const [one, two, three] = commit(1, 2, 3) as [CommittedEvent, CommittedEvent, CommittedEvent];
const all = [one, two, three];
const came = (event: CommittedEvent) => ({ in: frameOf(event) });
const begin = [ask(), reply(0, snapshot())];

describe("the judge finds", () => {
  it("nothing where all is as it should be", () => {
    expect(verdict(all, [...begin, ...all.map(came)])).toBeNull();
    expect(verdict(all, [ask(1), reply(3, { recovered: true }), came(two), came(three)])).toBeNull();
  });

  it.each<[string, Transcript["entries"], string]>([
    [
      "a missing event",
      [...begin, came(one), came(three)],
      "r: got no event 2 of doc:a through doc:a, but 3",
    ],
    [
      "a missing end",
      [...begin, came(one), came(two)],
      "r: is in doc:a to the end, and got no event 3 of doc:a",
    ],
    ["a repetition", [...begin, came(one), came(one)], "r: got event 1 of doc:a again"],
    ["a wrong order", [...begin, came(two), came(one)], "r: got no event 1 of doc:a through doc:a, but 2"],
    [
      "an event before the reply",
      [ask(), came(one)],
      "r: got event 1 of doc:a, which it is not subscribed to",
    ],
    [
      "an event of the past that nobody asked for",
      [ask(), reply(1, snapshot("1.0")), came(one)],
      "r: got event 1 of doc:a, which it is not subscribed to",
    ],
    [
      "an event of another epoch",
      [...begin, { in: { ...frameOf(one), epoch: "e2" } }],
      "r: event 1 of doc:a is of epoch e2",
    ],
    [
      "an event that was never committed",
      [...begin, { in: { ...frameOf(one), seq: 9 } }],
      "r: got event 9 of doc:a, which was never committed",
    ],
    [
      "other data",
      [...begin, { in: { ...frameOf(one), data: {} } }],
      "r: event 1 of doc:a has other data than what was committed",
    ],
    [
      "a wrong prev",
      [...begin, came(one), { in: { ...frameOf(two), prev: 0 } }],
      "r: event 2 of doc:a has prev 0, committed was 1",
    ],
    [
      "a snapshot that is older than its position",
      [ask(), reply(2, snapshot("1.0"))],
      'r: the snapshot of doc:a at 2 says "1.0", expected "1.0 2.0"',
    ],
    [
      "a gap where the history holds all",
      [ask(0), reply(3, { recovered: false, ...snapshot("1.0", "2.0", "3.0") })],
      "r: doc:a since 0 is told to be recovered: false, and the history still holds all of it",
    ],
    [
      "a gap in the middle that is none",
      [...begin, gap(0, 2), came(three)],
      "r: was told of a gap in doc:a after 0, where the history holds all",
    ],
    ["a request without an answer", [ask()], "r: got no answer to s"],
  ])("%s", (_what, entries, sentence) => {
    expect(verdict(all, entries)).toBe(sentence);
  });

  it("a history that is told to hold what it has let go of", () => {
    const many = commit(1, 2, 3, 4, 5, 6);
    expect(verdict(many, [ask(0), reply(6, { recovered: true })])).toBe(
      "r: doc:a since 0 is told to be recovered: true, and the history does not reach back so far",
    );
    const state = snapshot(...many.map(({ seq }) => `${seq}.0`));
    const told = [ask(0), reply(6, { recovered: false, ...state })];
    expect(verdict(many, told)).toBe("r: was not told of the gap in doc:a after 0");
    expect(verdict(many, [...told, gap(0, 6)])).toBeNull();
  });

  it("a connection that ended for no reason", () => {
    const entries = [...begin, ...all.map(came)];
    expect(verdict(all, entries, { end: { code: 1011, reason: "" } })).toBe(
      "r: ended with 1011  for no reason",
    );
    expect(verdict(all, entries, { end: { code: 1001, reason: "" } })).toBeNull();
  });

  it("what was answered and is not there, and what is there and was not asked for", () => {
    expect(verdict([], [], { asked: [one] })).toBe(
      "operation 1 (edit) was answered, and its events are not there",
    );
    expect(verdict([one], [], { asked: [] })).toBe("event 1 of doc:a was never asked for");
    const again = { ...two, data: one.data };
    expect(verdict([one, again], [], { asked: [one] })).toBe(
      "operation 1 (edit) was done more than once: doc:a 1.0",
    );
  });
});
