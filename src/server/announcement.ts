/**
 * What a person is told when a service is up: where it can be reached.
 *
 * @module
 */
import type { Contract } from "../protocol/contract.ts";
import type { RealtimeServer } from "./realtime-server.ts";

export function announcement(server: RealtimeServer<Contract>): string[] {
  const { service, settings } = server;
  const http = `http://${authority(settings.http.host, server.httpPort)}`;
  return [
    service.contract.name,
    ...(settings.websocket.enabled ? [`  WebSocket  ws://${authority(server.host, server.port)}`] : []),
    `  HTTP       ${http}`,
    `  MCP        ${http}/mcp`,
  ];
}

/** Host and port as they stand in a URL. */
export function authority(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}
