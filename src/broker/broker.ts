/**
 * The broker: carries events to every process of a service and keeps their recent past. What follows is a promise that
 * every broker keeps, in memory or over a network; one suite of tests runs over all of them.
 *
 * **Order.** `publish` is called one call after the other, in the order of `seq`: a caller waits for the promise of a
 * call before it makes the next. Every listener, in every process, then sees the events of a channel in that order. A
 * broker of one process keeps that order over all channels too.
 *
 * **Loss and repetition.** An event whose `publish` has succeeded reaches every listener that was there, once. An event
 * whose `publish` was rejected may have been taken all the same: the caller publishes the same events again, and the
 * broker recognises them by epoch and seq and delivers each once. So: at least once from the caller to the broker, once
 * from the broker to a listener. A process that loses its way to the broker catches up from history before it delivers
 * anything newer; where history no longer reaches back, `evicted` says so.
 *
 * **Echo.** The publishing process hears its own events, as every other does and in the same order, once. `cause` goes
 * with them to the listeners of the publishing process and no further.
 *
 * **Listeners.** Called synchronously, in the order in which they subscribed, one event at a time. What a listener
 * publishes is delivered after the event that it is hearing, to all listeners in the same order. A listener that throws
 * never keeps an event from the others, nor later events from itself: what it threw goes to `onError`. A listener that
 * unsubscribes hears nothing more, one that subscribes hears the next event first.
 *
 * **Not offered.** No acknowledgement by listeners, no wildcard or filter (the hub does that), no history of ephemeral
 * events, no seqs: those come from the journal.
 *
 * @module
 */
import type { Journal, Scope } from "../ports/journal.ts";
import type { Position, SequencedEvent } from "../protocol/event.ts";

/** Takes an event. `cause` is what the publisher of this process gave, undefined for events of other processes. */
export type Listener = (event: SequencedEvent, cause: symbol | undefined) => void;

/**
 * Where something went wrong. `delivery`: a listener threw. `publish`: events could not be handed on and are tried
 * again. `subscribe`: the way from the broker to this process is broken and is being mended.
 */
export type BrokerStage = "delivery" | "publish" | "subscribe";

/** Hears of failures that have nobody to be thrown to. Must not throw. */
export type OnBrokerError = (error: unknown, context: { readonly stage: BrokerStage }) => void;

/** What a service lends to its broker. */
export interface BrokerParts {
  /** Gave the events their positions and keeps their past. Stays open when the broker closes. */
  readonly journal: Journal;
  readonly onError: OnBrokerError;
}

/** Makes the broker of a service, anew each time the service opens. What it throws keeps the service from opening. */
export type CreateBroker = (parts: BrokerParts) => Broker;

export interface Broker {
  /**
   * Position of the event delivered last in this process, or being delivered: it moves on before the listeners are
   * called, so whoever joins in between finds that event in the past. At the start the position of the history.
   */
  readonly position: Position;

  /**
   * Hand on events that have their positions. Where the broker can, it delivers before it returns; otherwise the promise
   * resolves when the broker has taken responsibility for the events, and rejects when it has not. A broker that answers
   * synchronously never throws. After `close` nothing happens.
   */
  publish(events: readonly SequencedEvent[], cause?: symbol): void | Promise<void>;

  /** Hear every event of the service from now on. Returns the way to stop; calling that twice is harmless. */
  subscribe(listener: Listener): () => void;

  /** Events of the scope after `seq`, oldest first, at most `limit`. See `Journal.read`. */
  read(
    scope: Scope,
    after: number,
    limit: number,
    maxBytes?: number,
  ): SequencedEvent[] | Promise<SequencedEvent[]>;

  /** The newest `count` events of the scope, oldest first. See `Journal.last`. */
  last(scope: Scope, count: number, maxBytes?: number): SequencedEvent[] | Promise<SequencedEvent[]>;

  /** Where a replay of the newest `count` events begins. See `Journal.tail`. */
  tail(scope: Scope, count: number): number | null | Promise<number | null>;

  /** The highest seq of the scope that is no longer kept; 0 while all are. See `Journal.evicted`. */
  evicted(scope: Scope): number | Promise<number>;

  /**
   * Stop delivering and let go of listeners and of the broker's own connections. Events already taken from publishers
   * are handed on first. What was given to the broker, such as a journal, stays open: it belongs to whoever made it.
   */
  close(): void | Promise<void>;
}
