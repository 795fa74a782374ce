/**
 * Every number that a server gives about itself, in one table. Names, labels and buckets of the first nine are those of
 * the Python layer `mcp_common.websocket`, so that its dashboards and alerts go on working.
 *
 * @module
 */
import { FRAME_TYPES } from "../protocol/envelope.ts";

export interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  readonly unit: "1" | "s";
  /** In the order in which they are written. `server` and `name` are the meter's own and may be left out. */
  readonly labels: readonly LabelName[];
  /** Upper bounds of a histogram's buckets, in its unit, ascending. */
  readonly buckets?: readonly number[];
  /** One sentence; the text's HELP line. */
  readonly meaning: string;
}

/**
 * What a label's value may be: one of a list, or anything that a pattern allows. Lists and patterns are narrow on
 * purpose: every value is a series that lives as long as the process, so nothing a client sends may become one.
 */
export interface LabelRule {
  readonly values?: readonly string[];
  readonly pattern?: RegExp;
  /** What a value outside the list counts as. Absent: such a value is a fault. */
  readonly otherwise?: string;
  /** True: written in lower case, so that an error's code can be handed over as it is. */
  readonly lowerCase?: boolean;
}

/**
 * Limits by the keys of their settings, as far as one that is reached is counted by itself. The others are advice, or
 * are counted as the errors that they are answered with.
 */
export const COUNTED_LIMITS = [
  "max_connections",
  "message_rate_limit",
  "connections_per_address",
  "tcp_connections",
  "tcp_connections_per_address",
  "head_seconds",
  "request_seconds",
  "header_bytes",
  "http_rate",
  "http_requests",
  "http_requests_per_address",
  "concurrent_requests",
  "fragments",
  "channels_per_connection",
  "message_bytes",
  "outbound_queue_bytes",
  "abuse_seconds",
] as const;

export const LABELS = {
  /** Name of the service. */
  server: { pattern: /^[a-z][a-z0-9-]*$/ },
  /** The same again, for the panels that look for it under this label. */
  name: { pattern: /^[a-z][a-z0-9-]*$/ },
  tls_mode: { values: ["ws", "wss"] },
  message_type: { values: [...FRAME_TYPES, "other"], otherwise: "other" },
  direction: { values: ["sent", "received"] },
  /** The kind of a channel, never its whole name. */
  channel: { pattern: /^[a-z][a-z0-9_-]*$/ },
  limit: { values: COUNTED_LIMITS },
  error_type: { pattern: /^[a-z][a-z0-9_]*$/, lowerCase: true },
} as const satisfies Record<string, LabelRule>;

export type LabelName = keyof typeof LABELS;

const BROADCAST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const LATENCY_BUCKETS = [...BROADCAST_BUCKETS, 10];

export const METRICS = {
  websocket_connections_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "tls_mode"],
    meaning: "Connections that were taken on",
  },
  websocket_connections_active: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    meaning: "Connections that are open now",
  },
  websocket_messages_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "message_type", "direction"],
    meaning: "Frames by type and direction; what could not be decoded is of type other",
  },
  websocket_broadcast_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "channel"],
    meaning: "Events that were handed to a channel's members, by kind of channel",
  },
  websocket_broadcast_duration_seconds: {
    type: "histogram",
    unit: "s",
    labels: ["server", "channel"],
    buckets: BROADCAST_BUCKETS,
    meaning: "Time to hand one event to all members of a channel, by kind of channel",
  },
  websocket_connection_errors_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "error_type"],
    meaning: "Connections that were refused or ended for a fault, by what it was",
  },
  websocket_message_errors_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "error_type"],
    meaning: "Frames that could not be read or written, by what was wrong",
  },
  websocket_latency_seconds: {
    type: "histogram",
    unit: "s",
    labels: ["server", "message_type"],
    buckets: LATENCY_BUCKETS,
    meaning: "Time from a frame's arrival to its answer, by type",
  },
  websocket_errors_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "error_type"],
    meaning: "Errors that clients were answered with, by code in lower case",
  },
  websocket_connections: {
    type: "gauge",
    unit: "1",
    labels: ["server", "name"],
    meaning: "Connections that are open now, under the name that dashboards ask for",
  },
  websocket_subscriptions: {
    type: "gauge",
    unit: "1",
    labels: ["server", "channel"],
    meaning: "Memberships in channels now, by kind of channel",
  },
  websocket_rooms: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    meaning: "Channels that have a member now",
  },
  websocket_slow_consumers_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning: "Connections that were ended because their queue was over its limit",
  },
  websocket_limit_hits_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "limit"],
    meaning: "Times that a limit was reached, by the key of its setting",
  },
  websocket_gaps_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning: "Gaps that clients were told of",
  },
  websocket_replayed_events_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning: "Events that were sent again from history",
  },
  websocket_history_capped_events_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning:
      "Events that went from history before their time, because all of it was over history.total_bytes",
  },
  websocket_folded_events_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning: "Events that a newer one has replaced before a slow reader got them",
  },
  websocket_health: {
    type: "gauge",
    unit: "1",
    labels: ["server", "name"],
    meaning: "1 while the server is healthy, 0 while it is not",
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;
