/**
 * Who waits for events within this process without a connection: tools that wait, resources that are subscribed to.
 * An event costs a look at two maps where nobody does.
 *
 * @module
 */
import { kindOf } from "../protocol/channel-name.ts";
import type { SequencedEvent } from "../protocol/event.ts";

/** A channel or wildcard, as `parseChannel` found it. */
export interface WatchedPlace {
  readonly name: string;
  readonly kind: string;
  readonly wildcard: boolean;
}

/** Takes an event, in the order of the service. Must not throw and must not wait. */
export type Heard = (event: SequencedEvent) => void;

export class Watches {
  readonly #channels = new Map<string, Set<Heard>>();
  readonly #kinds = new Map<string, Set<Heard>>();
  readonly #stopping = new Set<() => void>();

  /** Hear every event of a place from now on, ephemeral ones included. Returns the way to stop; harmless twice. */
  watch({ name, kind, wildcard }: WatchedPlace, heard: Heard): () => void {
    const watched = wildcard ? this.#kinds : this.#channels;
    const key = wildcard ? kind : name;
    const all = watched.get(key) ?? new Set<Heard>();
    watched.set(key, all);
    // One function may watch several times.
    const own: Heard = (event) => heard(event);
    all.add(own);
    return () => {
      all.delete(own);
      if (all.size === 0 && watched.get(key) === all) watched.delete(key);
    };
  }

  /** Called with every event of the service, in order. */
  deliver(event: SequencedEvent): void {
    const byName = this.#channels.get(event.channel);
    if (byName) { for (const heard of byName) heard(event); }
    if (this.#kinds.size === 0) return;
    const byKind = this.#kinds.get(kindOf(event.channel));
    if (byKind) { for (const heard of byKind) heard(event); }
  }

  /** Hear that the service stops: nothing comes any more, and what waits is to answer. Returns the way not to. */
  onStop(stopping: () => void): () => void {
    // One function may ask several times.
    const own = () => stopping();
    this.#stopping.add(own);
    return () => void this.#stopping.delete(own);
  }

  /** The service stops. */
  stop(): void {
    for (const stopping of this.#stopping) stopping();
  }
}
