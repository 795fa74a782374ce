/**
 * Events and their positions.
 *
 * @module
 */
import type { JsonObject } from "./json.ts";

/**
 * A point in the history of a service. `seq` grows with every event of the service, whatever its channel, so that
 * one number serves a channel, a wildcard and a cursor alike. `epoch` changes when history was lost; positions of
 * two epochs cannot be compared.
 */
export interface Position {
  readonly epoch: string;
  readonly seq: number;
}

/** An event on its way to one channel, before it has a position. */
export interface EventDraft {
  /** UUID of the event; the same in every channel that the event goes to. */
  readonly id: string;
  readonly channel: string;
  readonly event: string;
  readonly data: JsonObject;
  /** UTC, ISO 8601. */
  readonly timestamp: string;
  /** True where the channel's kind keeps no history. */
  readonly ephemeral: boolean;
  /** Trace context of the request that caused it: see `readTraceparent`. */
  readonly traceparent?: string | undefined;
}

/** An event of one channel, with its position. */
export interface SequencedEvent extends EventDraft, Position {
  /** The seq before this one in the same channel; 0 for none. */
  readonly prev: number;
}
