/**
 * The limits of one server that are counted over all its clients, and the one metric that says which were reached.
 *
 * @module
 */
import { addressGroup, isThisMachine } from "../limits/address.ts";
import { Places } from "../limits/places.ts";
import { RequestRate } from "../limits/request-rate.ts";
import { COUNTED_LIMITS } from "../metrics/catalog.ts";
import type { Meter } from "../ports/meter.ts";
import type { PortLimits } from "../ports/port-limits.ts";
import type { Settings } from "../settings/schema.ts";

export interface ServerLimits {
  /** WebSocket connections by address. How many there may be in all is counted where they are kept. */
  readonly connections: Places;
  /** HTTP requests that are being answered. */
  readonly requests: Places;
  readonly requestRate: RequestRate;
  /** What one more port grants. */
  forPort(): PortLimits;
  /** Take over bounds that have changed. */
  change(settings: Settings): void;
  /** Whom requests of an address are counted for; null for nobody, as they are exempt or come from nowhere. */
  rateGroup(address: string | null): string | null;
  /** Count that a limit was reached, by the key of its setting. */
  reached(limit: string): void;
}

export function createServerLimits(
  { server, settings: { limits }, meter }: {
    readonly server: string;
    readonly settings: Settings;
    readonly meter: Meter;
  },
): ServerLimits {
  const loopbackExempt = limits.loopback_exempt;
  const connections = new Places({ ...ofConnections(limits), loopbackExempt });
  const requests = new Places({ ...ofRequests(limits), loopbackExempt });
  const requestRate = new RequestRate(limits.http_rate, limits.http_burst);
  const ports: Places[] = [];
  const hits = (limit: string) => meter.counter("websocket_limit_hits_total", { server, limit });
  // From 0 on, so that the first one is seen to rise.
  for (const limit of COUNTED_LIMITS) hits(limit);
  const reached = (limit: string) => hits(limit).add();
  return {
    connections,
    requests,
    requestRate,
    forPort() {
      const places = new Places({ ...ofPort(limits), loopbackExempt });
      ports.push(places);
      return {
        fragments: limits.fragments,
        headerBytes: limits.header_bytes,
        headSeconds: limits.head_seconds,
        requestSeconds: limits.request_seconds,
        idleSeconds: limits.idle_seconds,
        reached,
        admission: {
          enter(address) {
            const bound = places.enter(address);
            if (bound === null) return true;
            reached(bound === "total" ? "tcp_connections" : "tcp_connections_per_address");
            return false;
          },
          leave: (address) => places.leave(address),
        },
      };
    },
    change({ limits: changed }) {
      connections.change(ofConnections(changed));
      requests.change(ofRequests(changed));
      requestRate.change(changed.http_rate, changed.http_burst);
      for (const places of ports) places.change(ofPort(changed));
    },
    rateGroup(address) {
      if (address === null) return null;
      const group = addressGroup(address);
      return loopbackExempt && isThisMachine(group) ? null : group;
    },
    reached,
  };
}

type Limits = Settings["limits"];

const ofConnections = (limits: Limits) => ({ total: 0, perAddress: limits.connections_per_address });

const ofRequests = (limits: Limits) => ({
  total: limits.http_requests,
  perAddress: limits.http_requests_per_address,
});

const ofPort = (limits: Limits) => ({
  total: limits.tcp_connections,
  perAddress: limits.tcp_connections_per_address,
});
