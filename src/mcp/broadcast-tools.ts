/**
 * The tool that sends an event which never happened, for trying out clients. In development mode only.
 *
 * @module
 */
import * as v from "valibot";
import { parseChannel } from "../protocol/channel-name.ts";
import type { JsonObject } from "../protocol/json.ts";
import type { McpHost } from "./host.ts";
import { serverTool } from "./server-tool.ts";
import { answered, refused } from "./tool-result.ts";
import type { Tool, ToolResult } from "./tool.ts";

const Input = v.strictObject({
  event_type: v.pipe(
    v.string(),
    v.minLength(1),
    v.maxLength(255),
    v.description("Name of the event; it need not be in the contract"),
  ),
  data: v.optional(
    v.pipe(v.record(v.string(), v.unknown()), v.description("The event's data; `test: true` is added")),
  ),
  room: v.optional(v.pipe(v.string(), v.description("The channel that it is sent to")), "global"),
});

const Output = v.object({
  status: v.literal("broadcasted"),
  event_type: v.string(),
  room: v.string(),
  subscribers: v.pipe(v.number(), v.description("Connections that it was sent to")),
  message: v.string(),
});

export function broadcastTools(host: McpHost): Tool[] {
  return ["broadcast_test_event", "websocket_broadcast_test_event"].map((name) =>
    serverTool(host, {
      name,
      description:
        "Send a made-up event to a channel, marked by `test: true` in its data. Development mode only",
      // It can say anything in the service's name.
      access: "admin",
      input: Input,
      output: Output,
      annotations: {
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false,
      },
      answer: (input) => broadcast(host, input),
    })
  );
}

function broadcast(host: McpHost, { event_type, data, room }: v.InferOutput<typeof Input>): ToolResult {
  const place = parseChannel(host.contract.channels, room);
  if (!place.ok) return refused("INVALID_CHANNEL", place.reason);
  if (place.wildcard) {
    return refused("INVALID_CHANNEL", `Cannot send to '${room}': name one channel, not a wildcard`);
  }
  const result = host.broadcastTest(event_type, { ...data as JsonObject, test: true }, room);
  if ("error" in result) return refused("NOT_AVAILABLE", result.error);
  const { subscribers } = result;
  const message = `Sent ${event_type} to ${room}: ${subscribers} connections`;
  return answered({ status: "broadcasted", event_type, room, subscribers, message });
}
