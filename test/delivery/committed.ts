/**
 * What was committed, as the database itself has noted it, and what of it the history must still have held at a
 * position.
 *
 * @module
 */
import type { Database } from "../../src/ports/database.ts";
import type { ChannelKind } from "../../src/protocol/contract.ts";
import { modelContract } from "./model-service.ts";

export interface CommittedEvent {
  readonly seq: number;
  readonly prev: number;
  readonly channel: string;
  readonly id: string;
  readonly event: string;
  readonly timestamp: string;
  // deno-lint-ignore no-explicit-any
  readonly data: Record<string, any>;
}

const KINDS: Readonly<Record<string, ChannelKind>> = modelContract.channels;

export function kindOf(channel: string): string {
  const colon = channel.indexOf(":");
  return colon < 0 ? channel : channel.slice(0, colon);
}

export const isWildcard = (place: string): boolean => place.endsWith(":*");

/** Whether a channel belongs to a place, which is a channel or a wildcard. */
export function holds(place: string, channel: string): boolean {
  return place === channel || (isWildcard(place) && kindOf(place) === kindOf(channel));
}

export const isEphemeral = (place: string): boolean => KINDS[kindOf(place)]?.ephemeral === true;

export const hasSnapshot = (place: string): boolean => kindOf(place) === "doc" && !isWildcard(place);

export class Committed {
  readonly epoch: string;
  readonly #channels = new Map<string, CommittedEvent[]>();
  readonly #bySeq = new Map<number, CommittedEvent>();

  constructor(epoch: string, events: readonly CommittedEvent[]) {
    this.epoch = epoch;
    for (const event of events) this.#add(event);
  }

  get channels(): Iterable<string> {
    return this.#channels.keys();
  }

  get all(): Iterable<CommittedEvent> {
    return this.#bySeq.values();
  }

  at(seq: number): CommittedEvent | undefined {
    return this.#bySeq.get(seq);
  }

  of(channel: string): readonly CommittedEvent[] {
    return this.#channels.get(channel) ?? [];
  }

  /** Events of a place, oldest first, after `from` and up to `to`. */
  between(place: string, from: number, to: number): CommittedEvent[] {
    const events = [...this.#channels]
      .filter(([channel]) => holds(place, channel))
      .flatMap(([, events]) => events.filter(({ seq }) => seq > from && seq <= to));
    return events.sort((a, b) => a.seq - b.seq);
  }

  /** The newest seq of the place that the history has let go of when the newest event of the service is `head`. */
  evicted(place: string, head: number): number {
    let evicted = 0;
    for (const [channel, events] of this.#channels) {
      if (!holds(place, channel)) continue;
      const kept = KINDS[kindOf(channel)]?.history?.events ?? Infinity;
      const past = events.filter(({ seq }) => seq <= head);
      evicted = Math.max(evicted, past.at(-kept - 1)?.seq ?? 0);
    }
    return evicted;
  }

  /** After which seq the newest `count` events of a place begin that the history holds without a hole. */
  tail(place: string, count: number, head: number): number {
    const kept = this.between(place, this.evicted(place, head), head);
    const first = kept[Math.max(0, kept.length - count)];
    return first ? first.seq - 1 : head;
  }

  /** Whether a newer event may stand for this one with a reader that is slow. */
  isOutdated(event: CommittedEvent): boolean {
    const fields = KINDS[kindOf(event.channel)]?.latestBy;
    if (!fields) return false;
    return this.of(event.channel).some((other) =>
      other.seq > event.seq && other.event === event.event &&
      fields.every((field) => other.data[field] === event.data[field])
    );
  }

  #add(event: CommittedEvent): void {
    this.#bySeq.set(event.seq, event);
    const events = this.#channels.get(event.channel);
    if (events) events.push(event);
    else this.#channels.set(event.channel, [event]);
  }
}

/** Read what the trigger has noted, without what the server says when it stops. */
export function readCommitted(database: Database): Committed {
  const epoch = database.prepare("SELECT epoch FROM event_meta").get<{ epoch: string }>()?.epoch ?? "";
  const rows = database.prepare("SELECT * FROM committed WHERE channel <> 'global' ORDER BY rowid").all<
    Omit<CommittedEvent, "data"> & { data: string }
  >();
  return new Committed(epoch, rows.map((row) => ({ ...row, data: JSON.parse(row.data) })));
}
