/**
 * What a session has sent on its streams, so that a client that lost one gets the rest when it comes back with
 * `Last-Event-ID`. Bounded; whoever was away for longer is told that something is missing by a callback.
 *
 * @module
 */
import type { EventStore, JSONRPCMessage } from "./sdk.ts";

/** The package's name for the stream that answers a GET, on which the server tells of its own accord. */
export const TELLING_STREAM = "_GET_stream";

const MAX_EVENTS = 500;
const MAX_CHARACTERS = 1_048_576;

/** An event's id, taken apart. */
export interface EventPlace {
  readonly number: number;
  readonly streamId: string;
}

export interface StoredEvent extends EventPlace {
  readonly id: string;
  readonly message: JSONRPCMessage;
}

interface Kept extends StoredEvent {
  readonly size: number;
}

/**
 * Has no `getStreamIdForEventId`: by it the package would refuse a client that comes back before its loss was noticed.
 * So the new stream takes the place of the lost one.
 */
export class RecentEvents implements EventStore {
  readonly #kept: Kept[] = [];
  /** Streams of requests that were begun and are not answered yet. */
  readonly #open = new Set<string>();
  readonly #missed: () => void;
  #size = 0;
  #number = 0;
  #hasTold = false;

  /** @param missed called when a client comes back to whom not all can be repeated that it missed */
  constructor(missed: () => void) {
    this.#missed = missed;
  }

  /** Whether the server has told anything of its own accord. */
  get hasTold(): boolean {
    return this.#hasTold;
  }

  /** Whether anything is still to come on the stream of a request. */
  isOpen(streamId: string): boolean {
    return this.#open.has(streamId);
  }

  // deno-lint-ignore require-await
  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    if (streamId === TELLING_STREAM) this.#hasTold = true;
    else if ("result" in message || "error" in message) this.#open.delete(streamId);
    else this.#open.add(streamId);
    return this.#keep(streamId, message);
  }

  /** The id of an event without a message on the stream by which the server tells: something to go on from. */
  prime(): string {
    return this.#keep(TELLING_STREAM, {} as JSONRPCMessage);
  }

  /** Messages of the same stream after an event, as far as they are kept. */
  *after({ number: last, streamId }: EventPlace): Generator<StoredEvent> {
    // What is stored while somebody walks through it is found too, and what goes meanwhile moves all others.
    for (let number = last + 1; number <= this.#number;) {
      const oldest = this.#kept[0]?.number ?? Infinity;
      const event = this.#kept[Math.max(number, oldest) - oldest];
      if (!event) return;
      number = event.number + 1;
      // The first event of a stream holds nothing but its id.
      if (event.streamId === streamId && "jsonrpc" in event.message) yield event;
    }
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = eventPlace(lastEventId);
    if (!last) throw new Error("Expected the id of an event of this session");
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    if (last.number + 1 < oldest || last.number > this.#number) this.#missed();
    for (const { id, message } of this.after(last)) await send(id, message);
    return last.streamId;
  }

  #keep(streamId: string, message: JSONRPCMessage): string {
    const size = JSON.stringify(message).length;
    const number = ++this.#number;
    const id = `${number}@${streamId}`;
    this.#kept.push({ id, number, streamId, message, size });
    this.#size += size;
    while (this.#kept.length > MAX_EVENTS || (this.#size > MAX_CHARACTERS && this.#kept.length > 1)) {
      this.#size -= this.#kept.shift()!.size;
    }
    return id;
  }
}

export function eventPlace(eventId: string): EventPlace | undefined {
  const [, digits, streamId] = /^(\d{1,15})@(.{1,200})$/s.exec(eventId) ?? [];
  return streamId === undefined ? undefined : { number: Number(digits), streamId };
}
