/**
 * What a server lends to its connections. A connection knows nothing of services, runtimes or settings files beyond
 * this.
 *
 * @module
 */
import type { Verify } from "../auth/token.ts";
import type { Broker } from "../broker/broker.ts";
import type { Call, Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { ChannelKind } from "../protocol/contract.ts";
import type { InboundFrame } from "../protocol/envelope.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { Position } from "../protocol/event.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Flusher } from "./flusher.ts";
import type { ConnectionMetrics } from "./metrics.ts";

export type Answer =
  | {
    readonly ok: true;
    readonly data: JsonObject;
    /** `data` as JSON, where it has been written already. */
    readonly text?: string | undefined;
  }
  | { readonly ok: false; readonly code: ErrorCode; readonly message: string };

/** One request on its way to the service. `name` is null where the frame had none. */
export interface ConnectionRequest {
  readonly name: string | null;
  readonly data: JsonObject;
  readonly call: Omit<Call, "once" | "remembered">;
}

export interface ConnectionSettings {
  readonly welcome: "deferred" | "immediate" | "off";
  readonly welcomeEvent: string;
  readonly welcomeGraceMs: number;
  readonly correlation: "compatible" | "strict";
  /** True: a client must say who it is before anything else. */
  readonly authRequired: boolean;
  readonly authDeadlineMs: number;
  /** Frames per second; 0 for no limit. */
  readonly messageRate: number;
  readonly messageBurst: number;
  readonly abuseSeconds: number;
  readonly channelsPerConnection: number;
  readonly channelNameCharacters: number;
  /** A larger message ends the connection with 1009, where the runtime has not done so already. */
  readonly messageBytes: number;
  readonly outboundQueueBytes: number;
  readonly framesPerTick: number;
  /** Requests that are being answered at a time; with so many the client is not read. 0 for no limit. */
  readonly concurrentRequests: number;
  /** Unanswered publishes that a client should keep at most, as the welcome tells it. */
  readonly publishWindow: number;
}

export interface ConnectionHost {
  /** The service's name. */
  readonly server: string;
  readonly greeting: string;
  readonly settings: ConnectionSettings;
  readonly channels: Readonly<Record<string, ChannelKind>>;
  readonly hub: Hub;
  /** Null until the service is up; channels and requests are answered with NOT_AVAILABLE until then. */
  readonly broker: Broker | null;
  readonly flusher: Flusher;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: ConnectionMetrics;
  /** Whether the transport is encrypted. */
  readonly secure: boolean;
  /** Whether an event of this name exists in the contract. */
  hasEvent(name: string): boolean;
  hasRequest(name: string): boolean;
  /** At once, where the service does not wait for anything. Never throws, never rejects. */
  dispatch(request: ConnectionRequest): Answer | Promise<Answer>;
  /** Null where the server has no secret to check tokens with. */
  readonly verify: Verify | null;
  /** Synchronous, since it is asked for every channel. */
  mayJoin(identity: Identity, kind: string): boolean;
  /** The state behind a channel, read now, and the position of the newest event in it; null where there is none. */
  snapshot(channel: string): { readonly state: JsonObject; readonly position: Position } | null;
  /** A frame arrived and could be decoded. */
  received(connectionId: string, frame: InboundFrame): void;
  /** The client may take part: no authentication needed, or done. */
  opened(connectionId: string): void;
  /** The connection is over and has left every channel. */
  closed(connectionId: string): void;
}
