/**
 * How far those have come who read a replay. Whoever is subscribed and up to date is paced by its connection; a client
 * whose application reads slowly lets go of its channel and comes back for the rest, and until then the history must not
 * drop what it has not read.
 *
 * @module
 */
import type { Clock } from "../../ports/clock.ts";
import { kindOf } from "../../protocol/channel-name.ts";
import type { JsonObject } from "../../protocol/json.ts";
import type { Place } from "../../rooms/subscription.ts";

/** How long one that has let go of its channel is waited for, in milliseconds. */
const AWAY_MS = 600_000;

interface Reader {
  readonly connectionId: string;
  readonly place: Place;
  /** Its position when it subscribed, or the newest one when it left. */
  readonly seq: number;
  /** Monotonic milliseconds; null while it is subscribed. */
  readonly leftAt: number | null;
}

export interface ReadersOptions {
  readonly clock: Pick<Clock, "monotonic">;
  /** The newest position. */
  readonly head: () => { readonly epoch: string; readonly seq: number };
  readonly isConnected: (connectionId: string) => boolean;
  /** Whether the past of a subscription is still on its way. */
  readonly isCatchingUp: (connectionId: string, place: Place) => boolean;
}

export class Readers {
  readonly #options: ReadersOptions;
  readonly #readers = new Map<string, Reader>();

  constructor(options: ReadersOptions) {
    this.#options = options;
  }

  /** A client subscribes, or lets go of a channel. */
  heard(connectionId: string, wish: "subscribe" | "unsubscribe", data: JsonObject): void {
    const name = data["channel"] ?? data["room"];
    if (typeof name !== "string") return;
    const key = `${connectionId} ${name}`;
    const { clock, head, isCatchingUp } = this.#options;
    if (wish === "subscribe") {
      const place = { name, kind: kindOf(name), wildcard: name.endsWith(":*") };
      this.#readers.set(key, { connectionId, place, seq: this.#beginning(data), leftAt: null });
      return;
    }
    const reader = this.#readers.get(key);
    if (!reader || reader.leftAt !== null) return;
    const seq = isCatchingUp(connectionId, reader.place) ? reader.seq : head().seq;
    this.#readers.set(key, { ...reader, seq, leftAt: clock.monotonic() });
  }

  /** The oldest position that somebody may go on from, or is on the way from; null where all are up to date. */
  oldest(): number | null {
    const { clock, isConnected, isCatchingUp } = this.#options;
    let oldest: number | null = null;
    for (const [key, { connectionId, place, seq, leftAt }] of this.#readers) {
      const isGivenUp = leftAt !== null && clock.monotonic() - leftAt > AWAY_MS;
      if (isGivenUp || !isConnected(connectionId)) this.#readers.delete(key);
      else if (leftAt !== null || isCatchingUp(connectionId, place)) oldest = Math.min(oldest ?? seq, seq);
    }
    return oldest;
  }

  #beginning({ since, last }: JsonObject): number {
    const { epoch, seq } = this.#options.head();
    const given = since as { readonly epoch?: unknown; readonly seq?: unknown } | null | undefined;
    if (given?.epoch === epoch && typeof given.seq === "number") return given.seq;
    return typeof last === "number" ? Math.max(0, seq - last) : seq;
  }
}
