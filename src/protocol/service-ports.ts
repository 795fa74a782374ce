/**
 * The ports of the six services that come with the project. The WebSocket port is always the HTTP port plus ten.
 *
 * @module
 */

export interface ServicePorts {
  readonly http: number;
  readonly websocket: number;
}

const pair = (http: number): ServicePorts => ({ http, websocket: http + 10 });

export const SERVICE_PORTS = {
  "session-buddy": pair(8678),
  mahavishnu: pair(8680),
  akosha: pair(8682),
  crackerjack: pair(8676),
  dhruva: pair(8683),
  excalidraw: pair(3032),
} as const satisfies Record<string, ServicePorts>;
