/**
 * One tool for each request: those of the contract, and those that every service answers. A call takes the same way as
 * the request over a WebSocket.
 *
 * @module
 */
import * as v from "valibot";
import { HistoryInput, PresenceInput, PublishInput } from "../protocol/common-inputs.ts";
import type { Access, Contract, DataSchema, Effect, EventSpec, RequestSpec } from "../protocol/contract.ts";
import type { McpHost } from "./host.ts";
import { Traceparent } from "./told-event.ts";
import { answered, refused } from "./tool-result.ts";
import { argumentsSchema, objectSchema, withIdempotencyKey } from "./tool-schema.ts";
import { LOOKS, type Tool, type ToolAnnotations, type ToolListing } from "./tool.ts";

interface RequestTool {
  readonly description: string;
  readonly input: DataSchema;
  readonly output: DataSchema;
  readonly changesState: boolean;
  readonly annotations: ToolAnnotations;
}

/** What is taken for true of a request that changes state and does not say how. */
const UNKNOWN: ToolAnnotations = { readOnlyHint: false, destructiveHint: true, idempotentHint: false };

export function requestTools(host: McpHost): Tool[] {
  const { contract } = host;
  const requests: Readonly<Record<string, RequestSpec>> = contract.requests;
  const own = Object.entries(requests).map(([name, { description, access, input, output, effect }]) =>
    requestTool(host, name, {
      description: access === "read" ? description : `${description} (needs ${contract.name}:${access})`,
      input,
      output,
      changesState: access !== "read",
      annotations: annotationsOf(access, effect),
    })
  );
  const common = Object.entries(commonRequests(contract)).map(([name, tool]) =>
    requestTool(host, name, tool)
  );
  return [...own, ...common];
}

function annotationsOf(access: Access, effect: Effect | undefined): ToolAnnotations {
  if (effect === undefined) return access === "read" ? LOOKS : UNKNOWN;
  return {
    readOnlyHint: false,
    destructiveHint: effect.destructive ?? true,
    idempotentHint: effect.idempotent ?? false,
    openWorldHint: effect.openWorld ?? false,
  };
}

/** `run_tests` as a menu shows it: "Run tests". */
function titleOf(name: string): string {
  const words = name.replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function requestTool(host: McpHost, name: string, tool: RequestTool): Tool {
  const input = argumentsSchema(tool.input);
  const listing: ToolListing = {
    name,
    title: titleOf(name),
    description: tool.description,
    inputSchema: tool.changesState ? withIdempotencyKey(input) : input,
    outputSchema: objectSchema(tool.output),
    annotations: tool.annotations,
  };
  return {
    listing,
    async call(data, { identity, origin }, { traceparent }) {
      const call = { identity, door: "mcp", connectionId: null, cause: Symbol(name), traceparent } as const;
      const answer = await host.dispatch({ name, data, call, origin });
      return answer.ok ? answered(answer.data) : refused(answer.code, answer.message, tool.changesState);
    },
  };
}

const StoredEvent = v.object({
  id: v.string(),
  channel: v.string(),
  event: v.string(),
  data: v.record(v.string(), v.unknown()),
  timestamp: v.string(),
  seq: v.number(),
  prev: v.pipe(v.number(), v.description("The seq before this one in the same channel; 0 for none")),
  traceparent: Traceparent,
});

const LOOKING = { changesState: false, annotations: LOOKS };

function commonRequests(contract: Contract): Record<string, RequestTool> {
  const ids = Object.values(contract.channels).flatMap(({ id }) => id === undefined ? [] : [id]);
  const events: Readonly<Record<string, EventSpec>> = contract.events;
  const published = Object.entries(events).filter(([, { publishable }]) => publishable !== undefined);
  const publishable = published.map(([name, event]) =>
    `${name} (needs ${contract.name}:${event.publishable})`
  );
  return {
    get_status: {
      description: "State of the server and a summary of the service; with an id, the state of that object",
      input: v.object(Object.fromEntries(ids.map((id) => [id, v.optional(v.string())]))),
      output: v.record(v.string(), v.unknown()),
      ...LOOKING,
    },
    get_history: {
      description:
        "Recent events of a channel, oldest first, and the position up to which they go; `kind:*` is every channel of " +
        "a kind. With `since`, the events after that position; `recovered` says whether none is missing. With " +
        "`has_more`, some were left out: with `since` the newer ones, which the answer's position as `since` brings; " +
        "without it the older ones, which a `since` with seq 0 brings",
      input: HistoryInput,
      output: v.object({
        channel: v.string(),
        epoch: v.string(),
        seq: v.number(),
        recovered: v.optional(v.boolean()),
        has_more: v.boolean(),
        events: v.array(StoredEvent),
      }),
      ...LOOKING,
    },
    get_presence: {
      description: "Who is in a channel now",
      input: PresenceInput,
      output: v.object({
        channel: v.string(),
        count: v.pipe(
          v.number(),
          v.description(
            "Connections; of a channel that tells who is in it, those of its users, else of anonymous ones too",
          ),
        ),
        users: v.array(v.object({
          user_id: v.string(),
          connections: v.number(),
          user_info: v.optional(v.record(v.string(), v.unknown())),
        })),
      }),
      ...LOOKING,
    },
    publish: {
      description: `Publish an event that clients may publish: ${publishable.join(", ")}`,
      input: PublishInput,
      output: v.object({
        status: v.literal("published"),
        event: v.string(),
        channels: v.array(v.string()),
        result: v.pipe(
          v.optional(v.record(v.string(), v.unknown())),
          v.description("What the service has made of it, for events that change something"),
        ),
      }),
      changesState: true,
      annotations: {
        readOnlyHint: false,
        // News adds to what is there; the service makes something of what has a form of its own.
        destructiveHint: published.some(([, event]) => event.published !== undefined),
        idempotentHint: false,
        openWorldHint: false,
      },
    },
  };
}
