/**
 * What a server lends to its MCP side.
 *
 * @module
 */
import { outboundFrame } from "../connection/replies.ts";
import type { ConnectionMetrics } from "../connection/metrics.ts";
import type { ChannelAccess } from "../mcp/channel-access.ts";
import type { McpHost, ServerStatus } from "../mcp/host.ts";
import { DEFAULT_MCP_BOUNDS, type McpBounds } from "../mcp/transport.ts";
import type { Watches } from "../mcp/watches.ts";
import type { Identity } from "../ports/call.ts";
import { timestamp } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { Frame } from "../ports/socket.ts";
import { parseChannel } from "../protocol/channel-name.ts";
import { encodeFrame } from "../protocol/codec.ts";
import type { Access, Contract } from "../protocol/contract.ts";
import { MAX_OUTBOUND_FRAME_BYTES } from "../protocol/envelope.ts";
import { VERSION } from "../protocol/version.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Settings } from "../settings/schema.ts";
import { channelNames } from "./channel-list.ts";
import type { OpenService } from "./core.ts";
import { authority, type StatusParts, uptimeSeconds } from "./status.ts";

interface Parts {
  readonly contract: Contract;
  readonly settings: Settings;
  readonly log: Log;
  readonly metrics: ConnectionMetrics;
  /** Null until the service is up. */
  readonly open: () => OpenService | null;
  readonly hub: Hub;
  readonly watches: Watches;
  readonly mayJoin: (identity: Identity, kind: string) => boolean;
  readonly snapshot: ChannelAccess["snapshot"];
  readonly mayAccess: (identity: Identity, access: Access) => boolean;
  readonly status: () => StatusParts;
}

export function mcpHost(parts: Parts): McpHost {
  const { contract, settings } = parts;
  return {
    contract,
    version: VERSION,
    development: settings.development,
    dispatch: async (request) => {
      const message = "The service is not up: try again in a moment";
      return await parts.open()?.dispatch.handle(request) ?? { ok: false, code: "NOT_AVAILABLE", message };
    },
    mayAccess: parts.mayAccess,
    mayRead: parts.mayJoin,
    channels: () => channelAccess(parts),
    watches: parts.watches,
    status: () => serverStatus(parts),
    broadcastTest(eventType, data, room) {
      const place = parseChannel(contract.channels, room);
      if (!place.ok) return { error: place.reason };
      const { clock, hub } = parts.status();
      const stamped = { ...data, timestamp: timestamp(clock) };
      const frame = new Frame(
        encodeFrame(outboundFrame({ type: "event", event: eventType, data: stamped, room }, clock)),
      );
      if (frame.bytes > MAX_OUTBOUND_FRAME_BYTES) {
        return {
          error:
            `The event has ${frame.bytes} bytes and a frame holds ${MAX_OUTBOUND_FRAME_BYTES}: send less`,
        };
      }
      return { subscribers: hub.send(room, frame) };
    },
    clock: parts.status().clock,
    log: parts.log,
  };
}

function channelAccess(parts: Parts): ChannelAccess | null {
  const open = parts.open();
  if (!open) return null;
  const { broker, journal } = open;
  return {
    get position() {
      return broker.position;
    },
    read: (scope, after, limit, maxBytes) => broker.read(scope, after, limit, maxBytes),
    last: (scope, count, maxBytes) => broker.last(scope, count, maxBytes),
    evicted: (scope) => broker.evicted(scope),
    snapshot: parts.snapshot,
    list: (kinds, limit) => channelNames({ journal, hub: parts.hub }, kinds, limit),
  };
}

/** What the settings say of the endpoint. */
export function mcpBounds({ limits }: Settings): Partial<McpBounds> {
  // The runtime cuts a connection on which nothing has gone for so long; 0: never.
  const idleMs = limits.idle_seconds === 0 ? Infinity : limits.idle_seconds * 1_000;
  const keepAliveMs = Math.min(DEFAULT_MCP_BOUNDS.keepAliveMs, idleMs / 2);
  return { bodyBytes: limits.message_bytes, keepAliveMs };
}

/** The first ids, without a look at the other members. */
function idsOf(members: Iterable<{ readonly id: string }>, count: number): string[] {
  const ids: string[] = [];
  for (const { id } of members) {
    if (ids.length >= count) break;
    ids.push(id);
  }
  return ids;
}

function serverStatus(parts: Parts): ServerStatus {
  const { settings, metrics } = parts;
  const status = parts.status();
  const { connections, hub, host, port } = status;
  return {
    running: status.running,
    enabled: settings.websocket.enabled,
    initialized: status.startedAt !== null && settings.websocket.enabled,
    host,
    port,
    uri: `${settings.tls.enabled ? "wss" : "ws"}://${authority(host, port)}`,
    secure: settings.tls.enabled,
    connectionIds: [...connections.all.keys()],
    roomCount: hub.roomCount,
    fullestRooms: (count, ids) =>
      hub.fullest(count).map(({ name, members, size }) => ({
        name,
        subscribers: size,
        connectionIds: idsOf(members, ids),
      })),
    maxConnections: settings.websocket.max_connections,
    messageRateLimit: settings.websocket.message_rate_limit,
    uptimeSeconds: uptimeSeconds(status),
    totalConnections: connections.total,
    peakConnections: connections.peak,
    totalBroadcasts: hub.total.broadcasts,
    totalMessages: metrics.total.received + metrics.total.sent + hub.total.sent,
  };
}
