/**
 * Events of kinds that keep nothing, as all readers together have seen them: no database knows of them.
 *
 * @module
 */
import { type CommittedEvent, holds, isEphemeral } from "./committed.ts";
import type { Heard, ReaderRecord } from "./record.ts";
import { Violation } from "./violation.ts";

export class Pulses {
  readonly #bySeq = new Map<number, CommittedEvent>();

  /** @throws Violation where two readers have seen different events with one seq. */
  constructor(readers: readonly ReaderRecord[]) {
    for (const { transcripts } of readers) {
      for (const { name, entries } of transcripts) {
        for (const entry of entries) if ("in" in entry && isPulse(entry.in)) this.#add(name, entry.in);
      }
    }
  }

  at(seq: number): CommittedEvent | undefined {
    return this.#bySeq.get(seq);
  }

  get all(): Iterable<CommittedEvent> {
    return this.#bySeq.values();
  }

  of(channel: string): CommittedEvent[] {
    return this.between(channel, 0, Infinity);
  }

  /** Oldest first. */
  between(place: string, from: number, to: number): CommittedEvent[] {
    return [...this.#bySeq.values()]
      .filter(({ channel, seq }) => holds(place, channel) && seq > from && seq <= to)
      .sort((a, b) => a.seq - b.seq);
  }

  #add(reader: string, frame: Heard): void {
    const { seq, prev, room: channel, id, event, timestamp, data } = frame;
    const pulse = { seq, prev, channel, id, event, timestamp, data };
    const known = this.#bySeq.get(seq);
    this.#bySeq.set(seq, known ?? pulse);
    if (known && JSON.stringify(known) !== JSON.stringify(pulse)) {
      throw new Violation(`${reader}: event ${seq} of ${channel} is another one than others have seen`);
    }
  }
}

function isPulse({ type, event, room, seq }: Heard): boolean {
  return type === "event" && event !== "gap" && event !== "position" && typeof room === "string" &&
    typeof seq === "number" && isEphemeral(room);
}
