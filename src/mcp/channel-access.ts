/**
 * What the MCP side sees of the channels of an open service.
 *
 * @module
 */
import type { Scope } from "../ports/journal.ts";
import type { Position, SequencedEvent } from "../protocol/event.ts";
import type { JsonObject } from "../protocol/json.ts";

type Soon<T> = T | Promise<T>;

export interface ChannelAccess {
  /** Of the event that was heard last. */
  readonly position: Position;
  /** See `Broker.read`. */
  read(scope: Scope, after: number, limit: number, maxBytes?: number): Soon<SequencedEvent[]>;
  /** See `Broker.last`. */
  last(scope: Scope, count: number, maxBytes?: number): Soon<SequencedEvent[]>;
  /** See `Broker.evicted`. */
  evicted(scope: Scope): Soon<number>;
  /** The state behind a channel and the position that it belongs to; null where there is none. */
  snapshot(channel: string): { readonly state: JsonObject; readonly position: Position } | null;
  /** Channels of these kinds that have a past or a member: those with the newest events first, at most `limit`. */
  list(kinds: readonly string[], limit: number): readonly string[];
}
