/**
 * The tools that scenarios of the conformance suite ask for by name.
 *
 * @module
 */
// @ts-types="@modelcontextprotocol/sdk/types"
import { CreateMessageResultSchema, ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Extra } from "../../src/mcp/offered-to.ts";
import type { ObjectSchema, Tool, ToolContent, ToolContext, ToolResult } from "../../src/mcp/tool.ts";
import type { JsonObject } from "../../src/protocol/json.ts";

/** A red dot of one pixel, as PNG. */
export const RED_DOT =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
/** No sound at all, as WAV. */
const SILENCE = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

/** Between two steps of a tool, as the scenarios ask for. */
const STEP_MS = 50;

const NOTHING: ObjectSchema = { type: "object", properties: {} };

type Work = (data: JsonObject, context: ToolContext) => ToolResult | Promise<ToolResult>;

function tool(name: string, description: string, work: Work, inputSchema: ObjectSchema = NOTHING): Tool {
  const annotations = { readOnlyHint: true, destructiveHint: false, idempotentHint: true };
  // The suite's answers are content only: a tool without an output schema, which ours all have.
  const listing = { name, description, inputSchema, annotations } as Tool["listing"];
  return { listing, call: (data, _, context) => work(data, context) };
}

const content = (...parts: ToolContent[]): ToolResult => ({ content: parts });
const text = (words: string): ToolContent => ({ type: "text", text: words });
const image: ToolContent = { type: "image", data: RED_DOT, mimeType: "image/png" };
const audio: ToolContent = { type: "audio", data: SILENCE, mimeType: "audio/wav" };
const resource = (uri: string, mimeType: string, words: string): ToolContent => ({
  type: "resource",
  resource: { uri, mimeType, text: words },
});

const step = () => new Promise<void>((resolve) => setTimeout(resolve, STEP_MS));
const extraOf = (context: ToolContext) => context.extra as Extra;
const required = (name: string): ObjectSchema => ({
  type: "object",
  properties: { [name]: { type: "string" } },
  required: [name],
});

async function log(context: ToolContext): Promise<ToolResult> {
  const say = (data: string) =>
    extraOf(context).sendNotification({ method: "notifications/message", params: { level: "info", data } });
  await say("Tool execution started");
  await step();
  await say("Tool processing data");
  await step();
  await say("Tool execution completed");
  return content(text("Three lines were logged"));
}

async function progress(context: ToolContext): Promise<ToolResult> {
  await context.progress?.(0, 100);
  await step();
  await context.progress?.(50, 100);
  await step();
  await context.progress?.(100, 100);
  return content(text("All steps are done"));
}

async function sample({ prompt }: JsonObject, context: ToolContext): Promise<ToolResult> {
  const params = {
    messages: [{ role: "user" as const, content: { type: "text" as const, text: String(prompt) } }],
    maxTokens: 100,
  };
  const answer = await extraOf(context).sendRequest(
    { method: "sampling/createMessage", params },
    CreateMessageResultSchema,
  );
  return content(text(`LLM response: ${JSON.stringify(answer.content)}`));
}

type ElicitedFields = Record<string, Record<string, unknown>>;

async function elicit(
  context: ToolContext,
  message: string,
  properties: ElicitedFields,
  mandatory: string[] = [],
): Promise<ToolResult> {
  const requestedSchema = { type: "object", properties, required: mandatory };
  const answer = await extraOf(context).sendRequest(
    // The package's type lists the forms of fields one by one.
    { method: "elicitation/create", params: { message, requestedSchema } } as never,
    ElicitResultSchema,
  );
  return content(text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content)}`));
}

const DEFAULTS: ElicitedFields = {
  name: { type: "string", default: "John Doe" },
  age: { type: "integer", default: 30 },
  score: { type: "number", default: 95.5 },
  status: { type: "string", enum: ["active", "inactive", "pending"], default: "active" },
  verified: { type: "boolean", default: true },
};

const options = ["option1", "option2", "option3"];
const titled = ["value1", "value2", "value3"].map((value, n) => ({ const: value, title: `Choice ${n + 1}` }));
const ENUMS: ElicitedFields = {
  untitledSingle: { type: "string", enum: options },
  titledSingle: { type: "string", oneOf: titled },
  legacyEnum: {
    type: "string",
    enum: ["opt1", "opt2", "opt3"],
    enumNames: ["Option One", "Option Two", "Option Three"],
  },
  untitledMulti: { type: "array", items: { type: "string", enum: options } },
  titledMulti: { type: "array", items: { anyOf: titled } },
};

const SCHEMA_2020: ObjectSchema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  $defs: {
    address: { type: "object", properties: { street: { type: "string" }, city: { type: "string" } } },
  },
  properties: { name: { type: "string" }, address: { $ref: "#/$defs/address" } },
  additionalProperties: false,
};

/** Ends the stream that the answer was to come on: the client fetches it by coming back with the last event's id. */
async function reconnect(context: ToolContext): Promise<ToolResult> {
  extraOf(context).closeSSEStream?.();
  await step();
  return content(text("Reconnection test completed successfully"));
}

const TOOLS: readonly Tool[] = [
  tool(
    "test_simple_text",
    "Text",
    () => content(text("This is a simple text response for testing.")),
  ),
  tool("test_image_content", "An image", () => content(image)),
  tool("test_audio_content", "Sound", () => content(audio)),
  tool(
    "test_embedded_resource",
    "A resource",
    () =>
      content(resource("test://embedded-resource", "text/plain", "This is an embedded resource content.")),
  ),
  tool("test_multiple_content_types", "Text, an image and a resource", () =>
    content(
      text("Multiple content types test:"),
      image,
      resource("test://mixed-content-resource", "application/json", `{"test":"data","value":123}`),
    )),
  tool("test_tool_with_logging", "Logs what it does", (_, context) => log(context)),
  tool("test_tool_with_progress", "Tells how far it is", (_, context) => progress(context)),
  tool("test_error_handling", "Fails", () => {
    throw new Error("This tool intentionally returns an error for testing");
  }),
  tool("test_sampling", "Asks the client's model", sample, required("prompt")),
  tool("test_elicitation", "Asks the client's user", ({ message }, context) => {
    const field = (description: string) => ({ type: "string", description });
    const fields = { username: field("User's response"), email: field("User's email address") };
    return elicit(context, String(message), fields, ["username", "email"]);
  }, required("message")),
  tool(
    "test_elicitation_sep1034_defaults",
    "Asks with defaults",
    (_, context) => elicit(context, "Please review", DEFAULTS),
  ),
  tool(
    "test_elicitation_sep1330_enums",
    "Asks for choices",
    (_, context) => elicit(context, "Please choose", ENUMS),
  ),
  tool(
    "test_reconnection",
    "Ends its stream before it answers",
    (_, context) => reconnect(context),
  ),
  tool(
    "json_schema_2020_12_tool",
    "Tool with JSON Schema 2020-12 features",
    (data) => content(text(JSON.stringify(data))),
    SCHEMA_2020,
  ),
];

export const fixtureTools: ReadonlyMap<string, Tool> = new Map(
  TOOLS.map((entry) => [entry.listing.name, entry]),
);
