/**
 * Tools, as one MCP session sees them.
 *
 * @module
 */
import type { Log } from "../ports/log.ts";
import type { JsonObject } from "../protocol/json.ts";
import { traceFields } from "../protocol/traceparent.ts";
import { RPC, RpcRefusal } from "./failure.ts";
import { callerOf, type Extra, traceOf } from "./offered-to.ts";
import {
  CallToolRequestSchema,
  type CallToolResult,
  ListToolsRequestSchema,
  type ListToolsResult,
  type Server,
} from "./sdk.ts";
import { refused } from "./tool-result.ts";
import type { Tool, ToolContext, ToolResult } from "./tool.ts";

export function offerTools(server: Server, tools: ReadonlyMap<string, Tool>, log: Log): void {
  const listing = { tools: [...tools.values()].map((tool) => tool.listing) } as unknown as ListToolsResult;
  server.setRequestHandler(ListToolsRequestSchema, () => listing);
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = tools.get(params.name);
    if (!tool) {
      const name = params.name.slice(0, 100);
      throw new RpcRefusal(
        RPC.INVALID_PARAMS,
        `Unknown tool '${name}': tools/list names those there are`,
      );
    }
    const data = (params.arguments ?? {}) as JsonObject;
    return await answerOf(tool, data, extra, log) as unknown as CallToolResult;
  });
}

async function answerOf(tool: Tool, data: JsonObject, extra: Extra, log: Log): Promise<ToolResult> {
  const traceparent = traceOf(extra);
  const result = await resultOf(tool, data, extra, traceparent, log);
  return traceparent === undefined ? result : { ...result, _meta: { ...result._meta, traceparent } };
}

async function resultOf(
  tool: Tool,
  data: JsonObject,
  extra: Extra,
  traceparent: string | undefined,
  log: Log,
): Promise<ToolResult> {
  try {
    return await tool.call(data, callerOf(extra), contextOf(extra, traceparent));
  } catch (error) {
    // An answer of the protocol's own, such as a tool may ask for.
    if (error instanceof RpcRefusal) throw error;
    const fault = crypto.randomUUID();
    log.error("A tool failed", { tool: tool.listing.name, fault, ...traceFields(traceparent), error });
    return refused("SERVER_ERROR", `Internal error: the log explains it under ${fault}`);
  }
}

function contextOf(extra: Extra, traceparent: string | undefined): ToolContext {
  const { signal, _meta } = extra;
  const progressToken = _meta?.progressToken;
  if (progressToken === undefined) return { signal, extra, traceparent, progress: null };
  const meta = traceparent === undefined ? {} : { _meta: { traceparent } };
  return {
    signal,
    extra,
    traceparent,
    async progress(progress, total, message) {
      const params = { progressToken, progress, total, message, ...meta };
      // Whoever is gone by now need not be told.
      await extra.sendNotification({ method: "notifications/progress", params }).catch(() => {});
    },
  };
}
