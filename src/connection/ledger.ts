/**
 * What became of the events of one connection. Plain numbers: counting costs an addition.
 *
 * @module
 */
import type { JsonObject } from "../protocol/json.ts";

export class DeliveryLedger {
  /** Messages that came, those included that could not be read or were refused. */
  received = 0;
  /** Live events that were handed to the socket. */
  events = 0;
  /** Events of the past that were handed to the socket, because a subscribe asked for them. */
  replayed = 0;
  /** Frames of every kind that were handed to the socket, in bytes of their text. */
  bytes = 0;
  /** Live events that the client's own filter kept from it. */
  filtered = 0;
  /** Events that the client published as events: they went to the others and not back to it. */
  own = 0;
  /** Events that a newer one of the same key has replaced while they waited for the reader. */
  folded = 0;
  /** Events that still waited when the connection ended. */
  ended = 0;
  /** Gaps that the client was told of. */
  gaps = 0;
  /** The most bytes that waited for the reader at a time. */
  highestQueueBytes = 0;

  /** As the log tells it when the connection has ended. */
  summary(): Record<string, number> {
    return {
      received: this.received,
      sent: this.events + this.replayed,
      sent_bytes: this.bytes,
      folded: this.folded,
      unsent: this.ended,
    };
  }

  /** As `get_status` shows it to the connection's owner. `queueBytes`: what waits for the reader now. */
  figures(queueBytes: number): JsonObject {
    return {
      events_sent: this.events,
      events_replayed: this.replayed,
      bytes_sent: this.bytes,
      folded: this.folded,
      dropped: { filter: this.filtered, own: this.own },
      gaps: this.gaps,
      queue_bytes: queueBytes,
      highest_queue_bytes: this.highestQueueBytes,
    };
  }
}
