/**
 * What a session has sent on its streams, so that a client that lost one gets the rest when it comes back with
 * `Last-Event-ID`. Bounded; whoever was away for longer is told that something is missing by a callback.
 *
 * @module
 */
import type { EventStore, JSONRPCMessage } from "./sdk.ts";

const MAX_EVENTS = 500;
const MAX_CHARACTERS = 1_048_576;

interface Stored {
  readonly number: number;
  readonly streamId: string;
  readonly message: JSONRPCMessage;
  readonly size: number;
}

export class RecentEvents implements EventStore {
  readonly #kept: Stored[] = [];
  readonly #missed: () => void;
  #size = 0;
  #number = 0;

  /** @param missed called when a client comes back to whom not all can be repeated that it missed */
  constructor(missed: () => void) {
    this.#missed = missed;
  }

  // deno-lint-ignore require-await
  async storeEvent(streamId: string, message: JSONRPCMessage): Promise<string> {
    const size = JSON.stringify(message).length;
    const number = ++this.#number;
    this.#kept.push({ number, streamId, message, size });
    this.#size += size;
    while (this.#kept.length > MAX_EVENTS || (this.#size > MAX_CHARACTERS && this.#kept.length > 1)) {
      this.#size -= this.#kept.shift()!.size;
    }
    return `${number}@${streamId}`;
  }

  // deno-lint-ignore require-await
  async getStreamIdForEventId(eventId: string): Promise<string | undefined> {
    return parse(eventId)?.streamId;
  }

  async replayEventsAfter(
    lastEventId: string,
    { send }: { send: (eventId: string, message: JSONRPCMessage) => Promise<void> },
  ): Promise<string> {
    const last = parse(lastEventId);
    if (!last) throw new Error("Expected the id of an event of this session");
    const oldest = this.#kept[0]?.number ?? this.#number + 1;
    if (last.number + 1 < oldest) this.#missed();
    for (const { number, streamId, message } of [...this.#kept]) {
      // The first event of a stream holds nothing but its id.
      if (number <= last.number || streamId !== last.streamId || !("jsonrpc" in message)) continue;
      await send(`${number}@${streamId}`, message);
    }
    return last.streamId;
  }
}

function parse(eventId: string): { number: number; streamId: string } | undefined {
  const [, digits, streamId] = /^(\d{1,15})@(.{1,200})$/s.exec(eventId) ?? [];
  return streamId === undefined ? undefined : { number: Number(digits), streamId };
}
