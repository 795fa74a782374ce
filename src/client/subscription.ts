/**
 * What an application reads of a channel, or of all channels of a kind: events in order, each once, a word about those
 * that are missing, and the state.
 *
 * @module
 */
import type { Position } from "../protocol/event.ts";

/** An event. `seq`, `prev` and `epoch` are missing where the server keeps no positions. */
export interface EventItem {
  readonly type: "event";
  readonly channel: string;
  readonly event: string;
  /** The same in every channel that the event goes to. */
  readonly id: string;
  // deno-lint-ignore no-explicit-any
  readonly data: any;
  readonly timestamp: string;
  readonly seq?: number;
  readonly prev?: number;
  readonly epoch?: string;
  /** W3C trace context of the request that caused it, where that had one. */
  readonly traceparent?: string;
}

/**
 * Events cannot be had any more: those after `from`, up to `to`. What the application has built from events must be read
 * again, unless a snapshot follows.
 */
export interface GapItem {
  readonly type: "gap";
  /** The subscription's name; one channel where events of that one alone are missing from a `kind:*`. */
  readonly channel: string;
  /** Null where the server keeps no positions. */
  readonly from: number | null;
  readonly to: number | null;
  /**
   * `history`: longer ago than the server remembers. `epoch`: the server has lost its history. `ephemeral`: events of
   * this kind are not kept. `ahead`: the position was none of this server. `unknown`: the server keeps no positions, so
   * whatever came while there was no connection is missing.
   */
  readonly cause: "history" | "epoch" | "ephemeral" | "ahead" | "unknown" | (string & Record<never, never>);
}

/** The state behind the channel: contains every event up to `seq`, and none after it. */
export interface SnapshotItem {
  readonly type: "snapshot";
  readonly channel: string;
  // deno-lint-ignore no-explicit-any
  readonly snapshot: any;
  readonly seq: number;
  readonly epoch: string;
}

export type Item = EventItem | GapItem | SnapshotItem;

export interface SubscribeOptions<Event extends string = string> {
  /** Only events of these types. Default: all. */
  readonly events?: readonly Event[];
  /** Begin after this position, as `Subscription.position` gave it. */
  readonly since?: Position;
  /** Begin with the newest so many events. Without `since` and `last` the subscription begins now. */
  readonly last?: number;
  /**
   * Characters of frames that wait for a slow application. Over it the subscription lets go of its channel, and takes
   * it up again, from where it was, when the application has read what waits. @default 4_194_304
   */
  readonly bufferSize?: number;
}

/** What the server said to the first subscribe. */
export interface Subscribed {
  /** Null where the server keeps no positions. */
  readonly position: Position | null;
  /** Whether nothing was missed since `since`; null where that was not asked. */
  readonly recovered: boolean | null;
}

/** A subscription, as the application has it: to be read with `for await`, by one reader. */
export interface Subscription<I = Item> extends AsyncIterable<I> {
  /** The channel, or `kind:*`. */
  readonly name: string;
  /**
   * How far the application has read, the item in hand included. Keep it to begin there another time. It moves on also
   * where nothing is to be read, past what the filter leaves out. Null until the server has answered, and for servers
   * that keep no positions.
   */
  readonly position: Position | null;
  /** Whether the server brings it at present what happens. */
  readonly isLive: boolean;
  /** Settled by the server's first answer. Rejects with what the iteration throws. */
  readonly ready: Promise<Subscribed>;
  /** Leave the channel. The iteration ends; what was not read yet is dropped. Leaving the loop does the same. */
  close(): void;
}
