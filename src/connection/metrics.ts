/**
 * Handles of the metrics that connections count on, taken once per server.
 *
 * @module
 */
import type { Counter, Meter } from "../ports/meter.ts";
import { FRAME_TYPES, type FrameType } from "../protocol/envelope.ts";

export interface ConnectionMetrics {
  readonly received: Readonly<Record<FrameType, Counter>>;
  /** Replies and frames of the connection itself; events are counted by the hub. */
  readonly sent: Readonly<Record<FrameType, Counter>>;
  /** Frames of all types, since the start. */
  readonly total: { received: number; sent: number };
  readonly decodeErrors: Counter;
  readonly rateLimited: Counter;
  readonly slowConsumers: Counter;
  readonly gaps: Counter;
  readonly replayed: Counter;
  /** Events that a newer one has replaced before a slow reader got them. */
  readonly folded: Counter;
  /** Errors answered, by code. */
  error(code: string): Counter;
  connectionError(reason: string): Counter;
  /** A limit was reached, by the key of its setting. */
  limit(key: string): Counter;
}

export function connectionMetrics(meter: Meter, server: string): ConnectionMetrics {
  const total = { received: 0, sent: 0 };
  const messages = (direction: keyof typeof total) =>
    Object.fromEntries(FRAME_TYPES.map((type) => {
      const counter = meter.counter("websocket_messages_total", { server, message_type: type, direction });
      const add = (by = 1): void => {
        total[direction] += by;
        counter.add(by);
      };
      return [type, { add }];
    })) as Record<FrameType, Counter>;
  const labelled = (name: string) => (value: string) => meter.counter(name, { server, error_type: value });
  const messageError = labelled("websocket_message_errors_total");
  return {
    received: messages("received"),
    sent: messages("sent"),
    total,
    decodeErrors: messageError("decode_error"),
    rateLimited: messageError("rate_limit"),
    slowConsumers: meter.counter("websocket_slow_consumers_total", { server }),
    gaps: meter.counter("websocket_gaps_total", { server }),
    replayed: meter.counter("websocket_replayed_events_total", { server }),
    folded: meter.counter("websocket_folded_events_total", { server }),
    error: labelled("websocket_errors_total"),
    connectionError: labelled("websocket_connection_errors_total"),
    limit: (key) => meter.counter("websocket_limit_hits_total", { server, limit: key }),
  };
}
