/**
 * The broker of one process: delivers within the call and reads history from the journal. See `Broker`.
 *
 * @module
 */
import type { Journal, Scope } from "../ports/journal.ts";
import type { Position, SequencedEvent } from "../protocol/event.ts";
import type { Broker, BrokerParts, Listener, OnBrokerError } from "./broker.ts";

interface Delivery {
  readonly events: readonly SequencedEvent[];
  readonly cause: symbol | undefined;
}

interface Entry {
  readonly listener: Listener;
  active: boolean;
}

export class MemoryBroker implements Broker {
  readonly #journal: Journal;
  readonly #onError: OnBrokerError;
  /** Replaced when a listener comes or goes, so that a delivery under way keeps the list it began with. */
  #entries: readonly Entry[] = [];
  #waiting: Delivery[] = [];
  #delivering = false;
  #closed = false;
  #position: Position;

  constructor(options: BrokerParts) {
    this.#journal = options.journal;
    this.#onError = options.onError;
    this.#position = options.journal.head;
  }

  get position(): Position {
    return this.#position;
  }

  publish(events: readonly SequencedEvent[], cause?: symbol): void {
    if (this.#closed) return;
    this.#waiting.push({ events, cause });
    if (this.#delivering) return;
    this.#delivering = true;
    // Grows while it is walked: what a listener publishes comes after what it is hearing.
    for (const delivery of this.#waiting) {
      for (const event of delivery.events) this.#deliver(event, delivery.cause);
    }
    this.#waiting = [];
    this.#delivering = false;
  }

  subscribe(listener: Listener): () => void {
    const entry: Entry = { listener, active: true };
    if (!this.#closed) this.#entries = [...this.#entries, entry];
    return () => {
      entry.active = false;
      this.#entries = this.#entries.filter((other) => other !== entry);
    };
  }

  read(scope: Scope, after: number, limit: number, maxBytes?: number): SequencedEvent[] {
    return this.#journal.read(scope, after, limit, maxBytes);
  }

  last(scope: Scope, count: number, maxBytes?: number): SequencedEvent[] {
    return this.#journal.last(scope, count, maxBytes);
  }

  tail(scope: Scope, count: number): number | null {
    return this.#journal.tail(scope, count);
  }

  evicted(scope: Scope): number {
    return this.#journal.evicted(scope);
  }

  close(): void {
    this.#closed = true;
    for (const entry of this.#entries) entry.active = false;
    this.#entries = [];
  }

  #deliver(event: SequencedEvent, cause: symbol | undefined): void {
    this.#position = { epoch: event.epoch, seq: event.seq };
    for (const entry of this.#entries) {
      if (!entry.active) continue;
      try {
        entry.listener(event, cause);
      } catch (error) {
        this.#onError(error, { stage: "delivery" });
      }
    }
  }
}
