/**
 * What a server says of itself: health, status, and the figures of one connection to its owner.
 *
 * @module
 */
import type { Connection } from "../connection/connection.ts";
import { type Clock, timestamp } from "../ports/clock.ts";
import type { Contract } from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Connections } from "./connections.ts";

/** The server, as far as it tells of itself. */
export interface StatusParts {
  readonly contract: Contract;
  readonly clock: Clock;
  readonly hub: Hub;
  readonly connections: Connections;
  readonly host: string;
  readonly port: number;
  /** Whether the WebSocket side is up. */
  readonly running: boolean;
  /** Whether the service is up. */
  readonly ready: boolean;
  /** Monotonic milliseconds; null before the start. */
  readonly startedAt: number | null;
}

export function uptimeSeconds({ clock, startedAt }: StatusParts): number {
  return startedAt === null ? 0 : Math.round((clock.monotonic() - startedAt) / 100) / 10;
}

/** `/health`: alive, with the checks and figures that health scripts read. */
export function healthOf(parts: StatusParts): JsonObject {
  return {
    status: parts.ready ? "healthy" : "starting",
    server: parts.contract.name,
    timestamp: timestamp(parts.clock),
    checks: {
      websocket: parts.running ? "passing" : "not_running",
      manager: parts.ready ? "passing" : "starting",
    },
    metrics: {
      active_connections: parts.connections.all.size,
      total_connections: parts.connections.total,
      uptime_seconds: uptimeSeconds(parts),
    },
  };
}

/** `get_status`, without the manager's part. */
export function statusOf(parts: StatusParts, connection: Connection | null): JsonObject {
  return {
    service: parts.contract.name,
    running: parts.running,
    host: parts.host,
    port: parts.port,
    connections: parts.connections.all.size,
    rooms: parts.hub.roomCount,
    uptime_seconds: uptimeSeconds(parts),
    ...(connection ? { connection: figuresOf(parts, connection) } : {}),
  };
}

function figuresOf({ clock, hub }: StatusParts, connection: Connection): JsonObject {
  return {
    connection_id: connection.id,
    user_id: connection.userId,
    authenticated: connection.identity.authenticated,
    connected_seconds: Math.round((clock.monotonic() - connection.connectedAt) / 100) / 10,
    channels: [...hub.subscriptions(connection).keys()],
    outbound_bytes: connection.outboundBytes,
    delivery: connection.ledger.figures(connection.outboundBytes),
  };
}

/** Host and port as they stand in a URL. */
export function authority(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
