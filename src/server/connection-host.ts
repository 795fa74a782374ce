/**
 * What a server lends to its connections.
 *
 * @module
 */
import type { Verify } from "../auth/token.ts";
import type { Flusher } from "../connection/flusher.ts";
import type { Answer, ConnectionHost, ConnectionSettings } from "../connection/host.ts";
import type { ConnectionMetrics } from "../connection/metrics.ts";
import type { Identity } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { Contract } from "../protocol/contract.ts";
import type { Hub } from "../rooms/hub.ts";
import type { Manager } from "../service/define-service.ts";
import type { Settings } from "../settings/schema.ts";
import type { Core } from "./core.ts";

interface Parts<C extends Contract, M extends Manager> {
  readonly contract: C;
  readonly settings: Settings;
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: Log;
  readonly flusher: Flusher;
  readonly metrics: ConnectionMetrics;
  readonly verify: Verify | null;
  /** Null until the service is up. */
  readonly core: () => Core<C, M> | null;
  readonly mayJoin: (identity: Identity, kind: string) => boolean;
  readonly closed: (connectionId: string) => void;
}

const NOT_UP: Answer = {
  ok: false,
  code: "NOT_AVAILABLE",
  message: "The service is not up: try again in a moment",
};

export function connectionHost<C extends Contract, M extends Manager>(parts: Parts<C, M>): ConnectionHost {
  const { contract, log, core } = parts;
  /** A manager's hook never harms the connection that it hears of. */
  const hook = (name: string, connection: string, work: () => void | Promise<void>): void => {
    const fault = (error: unknown) =>
      log.error("A hook of the manager failed", { hook: name, connection, error });
    try {
      work()?.catch(fault);
    } catch (error) {
      fault(error);
    }
  };
  return {
    server: contract.name,
    greeting: contract.greeting,
    settings: connectionSettings(parts.settings),
    channels: contract.channels,
    hub: parts.hub,
    get broker() {
      return core()?.broker ?? null;
    },
    flusher: parts.flusher,
    clock: parts.clock,
    log,
    metrics: parts.metrics,
    secure: parts.settings.tls.enabled,
    verify: parts.verify,
    hasEvent: (name) => Object.hasOwn(contract.events, name),
    hasRequest: (name) => core()?.dispatch.has(name) ?? Object.hasOwn(contract.requests, name),
    dispatch: (request) => core()?.dispatch.answer(request) ?? NOT_UP,
    mayJoin: parts.mayJoin,
    snapshot: (channel) => {
      const colon = channel.indexOf(":");
      const [kind, id] = colon < 0 ? [channel, null] : [channel.slice(0, colon), channel.slice(colon + 1)];
      const open = core();
      const state = open?.manager.snapshot?.(kind, id);
      return open && state ? { state, position: open.journal.head } : null;
    },
    received: (id, frame) => {
      const manager = core()?.manager;
      if (manager?.onMessage) hook("onMessage", id, () => manager.onMessage?.(id, frame));
    },
    opened: (id) => hook("onConnect", id, () => core()?.manager.onConnect?.(id)),
    closed: (id) => {
      parts.closed(id);
      hook("onDisconnect", id, () => core()?.manager.onDisconnect?.(id));
    },
  };
}

/** Let a host's connections see settings that have changed. */
export function renewConnectionSettings({ settings }: ConnectionHost, changed: Settings): void {
  Object.assign(settings, connectionSettings(changed));
}

function connectionSettings({ websocket, auth, limits }: Settings): ConnectionSettings {
  return {
    welcome: websocket.welcome,
    welcomeEvent: websocket.welcome_event,
    welcomeGraceMs: websocket.welcome_grace_ms,
    correlation: websocket.correlation,
    authRequired: auth.required,
    authDeadlineMs: auth.deadline_ms,
    messageRate: websocket.message_rate_limit,
    messageBurst: websocket.message_burst,
    abuseSeconds: limits.abuse_seconds,
    channelsPerConnection: limits.channels_per_connection,
    channelNameCharacters: limits.channel_name_characters,
    messageBytes: limits.message_bytes,
    outboundQueueBytes: limits.outbound_queue_bytes,
    framesPerTick: limits.frames_per_tick,
    concurrentRequests: limits.concurrent_requests,
    publishWindow: limits.publish_window,
  };
}
