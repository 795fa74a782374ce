/**
 * Tools about the WebSocket side of a server, on every service.
 *
 * @module
 */
import * as v from "valibot";
import type { DataSchema } from "../protocol/contract.ts";
import type { JsonObject } from "../protocol/json.ts";
import { broadcastTools } from "./broadcast-tools.ts";
import type { McpHost, ServerStatus } from "./host.ts";
import { serverTool } from "./server-tool.ts";
import { answered } from "./tool-result.ts";
import { LOOKS, type Tool } from "./tool.ts";
import * as answer from "./websocket-answers.ts";

export function websocketTools(host: McpHost): Tool[] {
  const { name: server } = host.contract;
  const query = (
    name: string,
    description: string,
    output: DataSchema,
    read: (status: ServerStatus) => JsonObject,
  ) =>
    serverTool(host, {
      name,
      description,
      access: "read",
      input: v.object({}),
      output,
      annotations: LOOKS,
      answer: () => answered(read(host.status())),
    });
  const metrics = (name: string) =>
    query(
      name,
      "Figures of the WebSocket server since its start, its connections and who is in which channel; at most " +
        `${answer.MAX_ROOMS_LISTED} channels and ${answer.MAX_CONNECTIONS_LISTED} connections are listed`,
      answer.MetricsAnswer,
      answer.metricsAnswer,
    );
  return [
    query(
      "websocket_status",
      "Whether the WebSocket server runs, where, and how many connections are open",
      answer.StatusAnswer,
      (status) => answer.statusAnswer(server, status),
    ),
    query(
      "websocket_health_check",
      "Health of the WebSocket server: healthy, stopped, or not_initialized where its port was never opened",
      answer.HealthAnswer,
      (status) => answer.healthAnswer(server, status),
    ),
    query(
      "websocket_list_rooms",
      "Channels that somebody is in now, and how many connections are in each; at most " +
        `${answer.MAX_ROOMS_LISTED} are listed`,
      answer.RoomsAnswer,
      answer.roomsAnswer,
    ),
    metrics("websocket_get_metrics"),
    metrics("websocket_get_status"),
    ...(host.development ? broadcastTools(host) : []),
  ];
}
