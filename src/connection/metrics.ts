/**
 * Handles of the metrics that connections count on, taken once per server.
 *
 * @module
 */
import type { Counter, Histogram, Meter } from "../ports/meter.ts";
import { FRAME_TYPES, type FrameType } from "../protocol/envelope.ts";
import { ERRORS } from "../protocol/errors.ts";

/** Why connections are refused or end, as `websocket_connection_errors_total` tells it. */
const CONNECTION_ERRORS = [
  "max_connections",
  "connections_per_address",
  "origin",
  "auth_required",
  "auth_failed",
  "auth_error",
  "not_available",
  "slow_consumer",
  "ping_timeout",
  "message_too_large",
  "abuse",
] as const;

export interface ConnectionMetrics {
  readonly received: Readonly<Record<FrameType, Counter>>;
  /** Replies and frames of the connection itself; events are counted by the hub. */
  readonly sent: Readonly<Record<FrameType, Counter>>;
  /** Frames of all types, since the start. */
  readonly total: { received: number; sent: number };
  /** Frames that could not be decoded: as received ones, and as errors. */
  readonly decodeErrors: Counter;
  /** Replies that did not fit into a frame. */
  readonly sendErrors: Counter;
  readonly rateLimited: Counter;
  // Ends of connections, which count as errors, and as limits where they are one.
  readonly slowConsumers: Counter;
  readonly tooLarge: Counter;
  readonly abuse: Counter;
  /** The peer did not answer a ping. */
  readonly dead: Counter;
  /** Of connections that are over. */
  readonly lifetime: Histogram;
  readonly gaps: Counter;
  readonly replayed: Counter;
  /** Events that a newer one has replaced before a slow reader got them. */
  readonly folded: Counter;
  /** A channel was come back to with a position; whether nothing of it was lost. */
  recovery(recovered: boolean): Counter;
  /** Errors answered, by code. */
  error(code: string): Counter;
  connectionError(reason: string): Counter;
  /** A limit was reached, by the key of its setting. */
  limit(key: string): Counter;
}

export function connectionMetrics(meter: Meter, server: string): ConnectionMetrics {
  const total = { received: 0, sent: 0 };
  const frames = (type: string, direction: keyof typeof total): Counter => {
    const counter = meter.counter("websocket_messages_total", { server, message_type: type, direction });
    return {
      add(by = 1) {
        total[direction] += by;
        counter.add(by);
      },
    };
  };
  const messages = (direction: keyof typeof total) =>
    Object.fromEntries(FRAME_TYPES.map((type) => [type, frames(type, direction)])) as Record<
      FrameType,
      Counter
    >;
  const labelled = (name: string) => (value: string) => meter.counter(name, { server, error_type: value });
  const messageError = labelled("websocket_message_errors_total");
  const connectionError = labelled("websocket_connection_errors_total");
  const limit = (key: string) => meter.counter("websocket_limit_hits_total", { server, limit: key });
  const error = labelled("websocket_errors_total");
  const tooManyChannels = together(error("TOO_MANY_CHANNELS"), limit("channels_per_connection"));
  const recovery = (outcome: string) => meter.counter("websocket_recoveries_total", { server, outcome });
  const [recovered, lost] = [recovery("recovered"), recovery("lost")];
  // A series that begins with its first error does not rise: who asks how much it rose is told of nothing.
  for (const code of Object.keys(ERRORS)) error(code);
  for (const reason of CONNECTION_ERRORS) connectionError(reason);
  return {
    received: messages("received"),
    sent: messages("sent"),
    total,
    decodeErrors: together(frames("other", "received"), messageError("decode_error")),
    sendErrors: messageError("send_failed"),
    rateLimited: together(messageError("rate_limit"), limit("message_rate_limit")),
    slowConsumers: together(
      meter.counter("websocket_slow_consumers_total", { server }),
      connectionError("slow_consumer"),
      limit("outbound_queue_bytes"),
    ),
    tooLarge: together(connectionError("message_too_large"), limit("message_bytes")),
    abuse: together(connectionError("abuse"), limit("abuse_seconds")),
    dead: together(
      meter.counter("websocket_dead_connections_total", { server }),
      connectionError("ping_timeout"),
    ),
    lifetime: meter.histogram("websocket_connection_duration_seconds", { server }),
    gaps: meter.counter("websocket_gaps_total", { server }),
    replayed: meter.counter("websocket_replayed_events_total", { server }),
    folded: meter.counter("websocket_folded_events_total", { server }),
    recovery: (whole) => whole ? recovered : lost,
    error: (code) => code === "TOO_MANY_CHANNELS" ? tooManyChannels : error(code),
    connectionError,
    limit,
  };
}

function together(...counters: readonly Counter[]): Counter {
  return {
    add(by) {
      for (const counter of counters) counter.add(by);
    },
  };
}
