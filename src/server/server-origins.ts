/**
 * Which pages may speak to a server, and under which names it is spoken to.
 *
 * @module
 */
import { createOriginRule, type OriginRule } from "../auth/origin.ts";
import { SERVICE_PORTS } from "../protocol/service-ports.ts";
import type { Settings } from "../settings/schema.ts";

/** @param ports Those that the server listens on, where the settings leave the choice to the system. */
export function serverOrigins(settings: Settings, ports: readonly number[] = []): OriginRule {
  const { websocket, http, origins, hosts } = settings;
  const own = Object.values(SERVICE_PORTS).flatMap((pair) => [pair.http, pair.websocket]);
  return createOriginRule({
    ownPorts: [...own, websocket.port, http.port, ...ports],
    allowedOrigins: origins.allowed,
    allowedHosts: hosts.allowed,
    extraHosts: [websocket.host, http.host],
  });
}
