/**
 * An MCP server per session, all offering the same tools. Loaded with the first request, since it loads the MCP package.
 *
 * @module
 */
import type { JsonObject } from "../protocol/json.ts";
import type { McpHost } from "./host.ts";
import {
  AjvJsonSchemaValidator,
  CallToolRequestSchema,
  type CallToolResult,
  ErrorCode,
  isInitializeRequest,
  ListToolsRequestSchema,
  type ListToolsResult,
  McpError,
  McpServer,
  WebStandardStreamableHTTPServerTransport,
} from "./sdk.ts";
import { refused } from "./tool-result.ts";
import type { Caller, ToolResult } from "./tool.ts";
import { toolsOf } from "./tools.ts";

/** Runtimes and proxies cut streams that are quiet for some ten seconds. */
const KEEP_ALIVE_MS = 5_000;

export interface OpenOptions {
  /** Null: the server answers one POST, as plain JSON, and is closed. */
  readonly sessionId: string | null;
  /** The client has ended the session. */
  readonly ended?: () => void;
}

export interface OpenServer {
  /** Answer a request. `body` is the parsed one of a POST, `undefined` for other methods. */
  handle(request: Request, body: unknown, caller: Caller): Promise<Response>;
  /** Ends the streams under way. Harmless when closed. */
  close(): void;
}

export interface McpServers {
  /** Whether a body asks for a session. */
  isInitialize(body: unknown): boolean;
  open(options: OpenOptions): Promise<OpenServer>;
}

export function createMcpServers(host: McpHost): McpServers {
  const tools = toolsOf(host);
  const listing = { tools: [...tools.values()].map((tool) => tool.listing) } as unknown as ListToolsResult;
  const info = { name: host.contract.name, version: host.version };
  // The package makes one per server unless it is given one, and that takes longer than all the rest.
  const jsonSchemaValidator = new AjvJsonSchemaValidator();

  async function call(name: string, data: JsonObject, caller: Caller): Promise<ToolResult> {
    const tool = tools.get(name);
    if (!tool) {
      throw new McpError(
        ErrorCode.InvalidParams,
        `Unknown tool '${name.slice(0, 100)}': tools/list names those there are`,
      );
    }
    try {
      return await tool.call(data, caller);
    } catch (error) {
      const fault = crypto.randomUUID();
      host.log.error("A tool failed", { tool: name, fault, error });
      return refused("SERVER_ERROR", `Internal error: the log explains it under ${fault}`);
    }
  }

  return {
    isInitialize: (body) => (Array.isArray(body) ? body : [body]).some(isInitializeRequest),
    async open({ sessionId, ended }) {
      const mcp = new McpServer(info, { capabilities: { tools: {} }, jsonSchemaValidator });
      mcp.server.setRequestHandler(ListToolsRequestSchema, () => listing);
      mcp.server.setRequestHandler(CallToolRequestSchema, async ({ params }, { authInfo }) => {
        const caller = authInfo?.extra?.caller as Caller;
        return await call(params.name, (params.arguments ?? {}) as JsonObject, caller) as CallToolResult;
      });
      const transport = new WebStandardStreamableHTTPServerTransport({
        sessionIdGenerator: sessionId === null ? undefined : () => sessionId,
        onsessionclosed: ended,
        enableJsonResponse: sessionId === null,
        keepAliveMs: KEEP_ALIVE_MS,
      });
      await mcp.connect(transport);
      return {
        handle(request, parsedBody, caller) {
          const { userId, permissions } = caller.identity;
          // The package's way of handing on who calls. The token itself goes no further than the door.
          const authInfo = { token: "", clientId: userId ?? "", scopes: [...permissions], extra: { caller } };
          return transport.handleRequest(request, { parsedBody, authInfo });
        },
        close: () =>
          void mcp.close().catch((error) => host.log.debug("An MCP session did not close", { error })),
      };
    },
  };
}
