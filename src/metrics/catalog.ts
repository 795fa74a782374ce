/**
 * Every number that a server gives about itself, in one table. Whatever the Python layer `mcp_common.websocket`, the
 * services on it and their scripts have ever exported or announced is here by the same name, so that their dashboards and
 * alerts go on working; where they disagree, the labels are those of that layer.
 *
 * @module
 */
import { FRAME_TYPES } from "../protocol/envelope.ts";

export interface MetricRow {
  readonly type: "counter" | "gauge" | "histogram";
  readonly unit: "1" | "s" | "ms" | "byte";
  /** In the order in which they are written. `server` and `name` are the meter's own and may be left out. */
  readonly labels: readonly LabelName[];
  /** Upper bounds of a histogram's buckets, in its unit, ascending. */
  readonly buckets?: readonly number[];
  /** Another row, whose series this one shows under its own name, for dashboards that ask for that. Counts nothing. */
  readonly sameAs?: string;
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
  /** `degraded`: up, while events do not get through. `off`: its settings want no WebSocket. */
  status: { values: ["healthy", "degraded", "unhealthy", "off"] },
  /** Whether a client that came back was given all that it had missed. */
  outcome: { values: ["recovered", "lost"] },
  version: { pattern: /^\d+\.\d+\.\d+[\w.+-]*$/ },
  runtime: { values: ["node", "deno", "bun"] },
} as const satisfies Record<string, LabelRule>;

export type LabelName = keyof typeof LABELS;

const BROADCAST_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const LATENCY_BUCKETS = [...BROADCAST_BUCKETS, 10];
/** A second, a minute, ten, an hour, six, a day. */
const LIFETIME_BUCKETS = [1, 60, 600, 3_600, 21_600, 86_400];

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
    meaning:
      "Frames by type and direction; what could not be decoded is of type other, what the rate limit refused is in none",
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
    meaning: "Time from a request's arrival to its answer, by WebSocket, HTTP and MCP alike",
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
  websocket_connections_current: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    sameAs: "websocket_connections_active",
    meaning: "The same as websocket_connections_active",
  },
  websocket_messages_sent_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning: "Frames that were sent, of all types",
  },
  websocket_messages_received_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning: "Frames that were received, of all types",
  },
  websocket_message_duration_seconds: {
    type: "histogram",
    unit: "s",
    labels: ["server", "message_type"],
    buckets: LATENCY_BUCKETS,
    sameAs: "websocket_latency_seconds",
    meaning: "The same as websocket_latency_seconds",
  },
  websocket_connections_limit: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    meaning: "Connections that there may be at a time (websocket.max_connections); 0 for no limit",
  },
  websocket_connection_duration_seconds: {
    type: "histogram",
    unit: "s",
    labels: ["server"],
    buckets: LIFETIME_BUCKETS,
    meaning: "How long connections lasted that are over",
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
  websocket_dead_connections_total: {
    type: "counter",
    unit: "1",
    labels: ["server"],
    meaning: "Connections that were cut because their peer did not answer a ping",
  },
  websocket_outbox_bytes: {
    type: "gauge",
    unit: "byte",
    labels: ["server"],
    meaning: "Bytes that wait for readers now, of all connections together",
  },
  websocket_outbox_highest_bytes: {
    type: "gauge",
    unit: "byte",
    labels: ["server"],
    meaning: "Bytes that wait now for the reader that has most to read",
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
  websocket_recoveries_total: {
    type: "counter",
    unit: "1",
    labels: ["server", "outcome"],
    meaning: "Channels that clients came back to with a position, by whether nothing of them was lost",
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
  websocket_history_events: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    meaning: "Events in history now",
  },
  websocket_history_bytes: {
    type: "gauge",
    unit: "byte",
    labels: ["server"],
    meaning: "Bytes of the events in history now, as history.total_bytes counts them",
  },
  websocket_history_limit_bytes: {
    type: "gauge",
    unit: "byte",
    labels: ["server"],
    meaning: "Bytes that history may have (history.total_bytes)",
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
    meaning: "1 while clients can connect, 0 while they cannot",
  },
  websocket_status_info: {
    type: "gauge",
    unit: "1",
    labels: ["server", "name", "status"],
    meaning:
      "1 for the server's status, 0 for the others; degraded: up, while events do not get through; off: the setting websocket.enabled is false",
  },
  websocket_latency_ms: {
    type: "gauge",
    unit: "ms",
    labels: ["server", "name"],
    meaning: "How long the last event took that was sent through the broker and back to try it",
  },
  websocket_broker_up: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    meaning: "1 while an event that is sent through the broker comes back, 0 while it does not",
  },
  websocket_database_bytes: {
    type: "gauge",
    unit: "byte",
    labels: ["server"],
    meaning: "Size of the database without its write-ahead log; 0 where there is none",
  },
  websocket_event_loop_delay_seconds: {
    type: "histogram",
    unit: "s",
    labels: ["server"],
    buckets: LATENCY_BUCKETS,
    meaning: "How much later than asked for a timer ran, twice a second: how long the process was busy",
  },
  websocket_start_time_seconds: {
    type: "gauge",
    unit: "s",
    labels: ["server"],
    meaning: "When the server was started, in seconds since 1970",
  },
  websocket_build_info: {
    type: "gauge",
    unit: "1",
    labels: ["server", "version", "runtime"],
    meaning: "Always 1; its labels tell what runs",
  },
  mcp_sessions: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    meaning: "MCP sessions that are open now",
  },
  mcp_streams: {
    type: "gauge",
    unit: "1",
    labels: ["server"],
    meaning: "Streams of MCP sessions that are open now",
  },
  process_resident_memory_bytes: {
    type: "gauge",
    unit: "byte",
    labels: ["server"],
    meaning: "Memory of the process; the same for all servers within it",
  },
  process_heap_bytes: {
    type: "gauge",
    unit: "byte",
    labels: ["server"],
    meaning: "JavaScript heap of the process that is in use; the same for all servers within it",
  },
  process_cpu_seconds_total: {
    type: "counter",
    unit: "s",
    labels: ["server"],
    meaning: "Processor time of the process since its start; the same for all servers within it",
  },
} as const satisfies Record<string, MetricRow>;

export type MetricName = keyof typeof METRICS;
