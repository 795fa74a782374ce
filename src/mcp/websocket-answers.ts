/**
 * What is said of the WebSocket side of a server. Names of fields are those of the Python layer's tools, several for the
 * same figure where those tools disagree, so that who reads their answers can read these.
 *
 * @module
 */
import * as v from "valibot";
import type { ServerStatus } from "./host.ts";

/** Channels that one answer lists; those with most connections. */
export const MAX_ROOMS_LISTED = 100;
/** Connections that one answer lists, in all and for each channel. */
export const MAX_CONNECTIONS_LISTED = 100;

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const seconds = v.pipe(v.number(), v.minValue(0));
const ids = v.array(v.string());
const runs = v.picklist(["running", "not_running"]);
const message = v.optional(v.pipe(v.string(), v.description("Why there is nothing to tell")));
const limits = {
  max_connections: v.pipe(count, v.description("0: no limit")),
  message_rate_limit: v.pipe(v.number(), v.description("Frames per second of one connection; 0: no limit")),
};

export const StatusAnswer = v.object({
  running: v.boolean(),
  connections: count,
  port: count,
  enabled: v.boolean(),
  status: runs,
  server: v.string(),
  host: v.string(),
  uri: v.string(),
  secure: v.boolean(),
  rooms: count,
});

export function statusAnswer(server: string, status: ServerStatus): v.InferOutput<typeof StatusAnswer> {
  const { running, enabled, host, port, uri, secure } = status;
  const connections = status.connectionIds.length;
  const rooms = status.roomCount;
  return { running, connections, port, enabled, status: word(status), server, host, uri, secure, rooms };
}

export const HealthAnswer = v.object({
  status: v.picklist(["healthy", "stopped", "not_initialized"]),
  connections: count,
  rooms: count,
  uptime: v.pipe(seconds, v.description("Seconds since the server started")),
  server: v.string(),
  host: v.string(),
  port: count,
  ...limits,
  message,
});

export function healthAnswer(server: string, status: ServerStatus): v.InferOutput<typeof HealthAnswer> {
  const stopped = status.initialized ? "stopped" : "not_initialized";
  return {
    status: status.running ? "healthy" : stopped,
    connections: status.connectionIds.length,
    rooms: status.roomCount,
    uptime: status.uptimeSeconds,
    server,
    host: status.host,
    port: status.port,
    ...limitsOf(status),
    ...whyNot(status),
  };
}

export const RoomsAnswer = v.object({
  rooms: v.record(v.string(), v.object({ subscribers: count })),
  total_rooms: v.pipe(count, v.description("More than are listed, where there are many")),
  message,
});

export function roomsAnswer(status: ServerStatus): v.InferOutput<typeof RoomsAnswer> {
  const rooms = status.fullestRooms(MAX_ROOMS_LISTED, 0).map(({ name, subscribers }) => [
    name,
    { subscribers },
  ]);
  return { rooms: Object.fromEntries(rooms), total_rooms: status.roomCount, ...whyNot(status) };
}

export const MetricsAnswer = v.object({
  server: v.object({ status: runs, host: v.string(), port: count }),
  is_running: v.boolean(),
  connections: ids,
  rooms: v.record(v.string(), v.object({ subscribers: count, connection_ids: ids })),
  total_connections: v.pipe(count, v.description("Open now; more than are listed, where there are many")),
  total_rooms: v.pipe(count, v.description("In use now; more than are listed, where there are many")),
  current_connections: count,
  active_connections: count,
  active_rooms: count,
  peak_connections: count,
  accepted_connections: v.pipe(count, v.description("Opened since the start, closed ones included")),
  total_broadcasts: count,
  total_messages: v.pipe(count, v.description("Frames in both directions since the start")),
  average_message_rate: v.pipe(v.number(), v.description("Frames per second since the start")),
  uptime_seconds: seconds,
  ...limits,
  message,
});

export function metricsAnswer(status: ServerStatus): v.InferOutput<typeof MetricsAnswer> {
  const { host, port, uptimeSeconds, totalMessages } = status;
  const connections = status.connectionIds.length;
  const rooms = status.fullestRooms(MAX_ROOMS_LISTED, MAX_CONNECTIONS_LISTED)
    .map(({ name, subscribers, connectionIds }) => [name, { subscribers, connection_ids: connectionIds }]);
  return {
    server: { status: word(status), host, port },
    is_running: status.running,
    connections: status.connectionIds.slice(0, MAX_CONNECTIONS_LISTED),
    rooms: Object.fromEntries(rooms),
    total_connections: connections,
    total_rooms: status.roomCount,
    current_connections: connections,
    active_connections: connections,
    active_rooms: status.roomCount,
    peak_connections: status.peakConnections,
    accepted_connections: status.totalConnections,
    total_broadcasts: status.totalBroadcasts,
    total_messages: totalMessages,
    average_message_rate: uptimeSeconds > 0 ? totalMessages / uptimeSeconds : 0,
    uptime_seconds: uptimeSeconds,
    ...limitsOf(status),
    ...whyNot(status),
  };
}

function word(status: ServerStatus): "running" | "not_running" {
  return status.running ? "running" : "not_running";
}

function limitsOf({ maxConnections, messageRateLimit }: ServerStatus) {
  return { max_connections: maxConnections, message_rate_limit: messageRateLimit };
}

function whyNot({ running, enabled, initialized }: ServerStatus): { message?: string } {
  if (running) return {};
  if (!enabled) return { message: "The WebSocket server is switched off by setting websocket.enabled" };
  return {
    message: initialized ? "The WebSocket server is stopped" : "The WebSocket server has not started yet",
  };
}
