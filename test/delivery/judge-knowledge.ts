/**
 * Judges what a reader knows in the end, over all its connections: everything after its first position, but for what it
 * was told to be lost, and a state that is the sum of its events.
 *
 * @module
 */
import { type CommittedEvent, holds, isEphemeral } from "./committed.ts";
import type { Evidence } from "./judge-connection.ts";
import { labelOf } from "./model-service.ts";
import type { Item, ReaderRecord, Stay } from "./record.ts";
import { Violation } from "./violation.ts";

/** @throws Violation */
export function judgeKnowledge(reader: ReaderRecord, evidence: Evidence): void {
  const known = new Set<number>();
  for (const { entries } of reader.transcripts) {
    for (const entry of entries) if ("in" in entry && entry.in.type === "event") known.add(entry.in.seq);
  }
  for (const stay of reader.stays) {
    judgeOrder(reader, stay);
    const own = stay.items.flatMap((item) => item.is === "event" ? [item.seq] : []);
    judgeHoles(reader, stay, reader.isStrict ? new Set(own) : known, evidence, !stay.over && isOpen(reader));
    judgeState(reader, stay, evidence);
  }
}

const isOpen = ({ transcripts }: ReaderRecord): boolean => transcripts.at(-1)?.end === null;

function fail(reader: ReaderRecord, stay: Stay, what: string): never {
  throw new Violation(`${reader.name} in ${stay.place}: ${what}`);
}

function judgeOrder(reader: ReaderRecord, stay: Stay): void {
  const newest = new Map<string, number>();
  for (const item of stay.items) {
    if (item.is !== "event") continue;
    const before = newest.get(item.channel) ?? 0;
    if (item.seq <= before) fail(reader, stay, `event ${item.seq} of ${item.channel} came after ${before}`);
    newest.set(item.channel, item.seq);
  }
}

function endOf(item: Item): number {
  return item.is === "gap" ? item.to : item.seq;
}

function judgeHoles(
  reader: ReaderRecord,
  stay: Stay,
  known: ReadonlySet<number>,
  { committed, pulses, operations }: Evidence,
  toTheEnd: boolean,
): void {
  const first = stay.items.find(({ is }) => is === "start");
  if (!first) return;
  const { place, filter, items } = stay;
  const from = endOf(first);
  const to = toTheEnd ? Infinity : stay.reached ?? Math.max(...items.map(endOf));
  // Whoever is in a channel in two ways is told in one of them.
  const tellers = reader.isStrict ? [stay] : reader.stays;
  const covered = ({ channel, seq }: CommittedEvent) =>
    tellers.some(({ place, items }) =>
      holds(place, channel) &&
      items.some((item) =>
        item.is === "gap"
          ? holds(item.channel ?? place, channel) && seq > item.from && seq <= item.to
          : item.is === "snapshot" && seq <= item.seq
      )
    );
  const isOwn = (event: CommittedEvent) => {
    const operation = operations.get(event.data.n);
    return operation?.by === "event" && operation.reader === reader.name;
  };
  const events = isEphemeral(place) ? pulses.between(place, from, to) : committed.between(place, from, to);
  const missing = events.find((event) =>
    !known.has(event.seq) && (filter?.includes(event.event) ?? true) && !covered(event) &&
    !isOwn(event) && !committed.isOutdated(event)
  );
  if (missing) {
    fail(reader, stay, `event ${missing.seq} of ${missing.channel} never came, and no gap tells of it`);
  }
}

/** Each snapshot and the events after it must come to the next snapshot, and to what was committed in the end. */
function judgeState(reader: ReaderRecord, stay: Stay, { committed }: Evidence): void {
  if (stay.filter) return;
  type State = { readonly base: number; readonly seq: number; readonly happened: readonly string[] };
  let state: State | null = null as State | null;
  const judge = () => {
    if (!state) return;
    const { seq } = state;
    const expected = committed.of(stay.place).filter((event) => event.seq <= seq).map(({ data }) =>
      labelOf(data)
    );
    const got = state.happened.join(" ");
    if (got !== expected.join(" ")) {
      fail(reader, stay, `is "${got}" at ${seq}, expected "${expected.join(" ")}"`);
    }
  };
  for (const item of stay.items) {
    if (item.is === "snapshot") {
      judge();
      state = { base: item.seq, seq: item.seq, happened: [...item.state.happened] };
    } else if (item.is === "event" && state && item.seq > state.seq) {
      const event = committed.at(item.seq);
      state = { ...state, seq: item.seq, happened: [...state.happened, labelOf(event?.data ?? {})] };
    } else if (item.is === "gap" && state && item.to > state.base) {
      // It may tell of what is missing before the last event.
      if (item.from >= state.seq) judge();
      state = null;
    }
  }
  judge();
}
