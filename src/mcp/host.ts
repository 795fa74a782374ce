/**
 * What a server lends to its MCP side. The endpoint knows nothing of sockets, settings or brokers beyond this.
 *
 * @module
 */
import type { Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Access, Contract } from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Answer, DispatchRequest } from "../service/dispatch.ts";
import type { ChannelAccess } from "./channel-access.ts";
import type { Watches } from "./watches.ts";

/** A channel or wildcard that somebody is in. */
export interface RoomStatus {
  readonly name: string;
  /** Connections in it. */
  readonly subscribers: number;
  /** Ids of some of them. */
  readonly connectionIds: readonly string[];
}

/** The WebSocket side of a server, as it is now. Figures are counted since the server's start unless said otherwise. */
export interface ServerStatus {
  /** The WebSocket port is open. */
  readonly running: boolean;
  /** Setting `websocket.enabled`. */
  readonly enabled: boolean;
  /** The WebSocket port has been open, whether it still is or not. */
  readonly initialized: boolean;
  readonly host: string;
  /** The WebSocket port: the real one where the port is open, otherwise the configured one. */
  readonly port: number;
  /** Where clients connect, such as `ws://127.0.0.1:8688`. */
  readonly uri: string;
  /** Whether the transport is encrypted. */
  readonly secure: boolean;
  /** Ids of the connections that are open now. */
  readonly connectionIds: readonly string[];
  /** Channels that somebody is in now. */
  readonly roomCount: number;
  /** Those of them with most connections, at most `count`, fullest first, each with at most `ids` ids of connections. */
  fullestRooms(count: number, ids: number): readonly RoomStatus[];
  /** 0 for no limit. */
  readonly maxConnections: number;
  /** Frames per second that one connection may send; 0 for no limit. */
  readonly messageRateLimit: number;
  readonly uptimeSeconds: number;
  /** Connections that have been opened, those that are closed again included. */
  readonly totalConnections: number;
  /** The most connections that were open at one time. */
  readonly peakConnections: number;
  /** Events that were handed to a channel, whether somebody was in it or not. */
  readonly totalBroadcasts: number;
  /** Frames that clients sent and frames that were sent to them. */
  readonly totalMessages: number;
}

export interface McpHost {
  readonly contract: Contract;
  /** Version of the service, told to clients. */
  readonly version: string;
  /** Development mode: tools for trying things out are listed and can be called. */
  readonly development: boolean;
  /** The door to the domain. Never rejects; refuses with NOT_AVAILABLE while the service is not up. */
  dispatch(request: DispatchRequest): Promise<Answer>;
  /** Whether the caller may, for tools that are no request of the contract. */
  mayAccess(identity: Identity, access: Access): boolean;
  /** Whether the caller may read channels of a kind, as who subscribes to them may. */
  mayRead(identity: Identity, kind: string): boolean;
  /** Null while the service is not up. */
  channels(): ChannelAccess | null;
  /** Told of every event of the service. */
  readonly watches: Watches;
  /** Read when a tool asks. */
  status(): ServerStatus;
  /**
   * Send an event that never happened to one channel, whatever the contract says of such an event. The channel's name
   * has been checked.
   *
   * @param data Goes out as given, with `timestamp` added. Holds `test: true`.
   * @returns how many connections it was sent to, or a sentence that says why it was not.
   */
  broadcastTest(
    eventType: string,
    data: JsonObject,
    room: string,
  ): { readonly subscribers: number } | { readonly error: string };
  readonly clock: Clock;
  readonly log: Log;
}
