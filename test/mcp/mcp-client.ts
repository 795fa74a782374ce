/**
 * The MCP package's own client, for tests.
 *
 * @module
 */
// @ts-types="@modelcontextprotocol/sdk/client"
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
// @ts-types="@modelcontextprotocol/sdk/client/streamableHttp"
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

export interface ToolAnswer {
  readonly content: { readonly type: string; readonly text: string }[];
  readonly structuredContent?: Record<string, unknown>;
  readonly isError?: boolean;
  readonly _meta?: Record<string, unknown>;
}

export interface ConnectedClient {
  readonly client: Client;
  readonly transport: StreamableHTTPClientTransport;
  call(name: string, data?: Record<string, unknown>): Promise<ToolAnswer>;
}

export async function connectClient(
  url: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<ConnectedClient> {
  const client = new Client({ name: "test", version: "0" });
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers },
  });
  await client.connect(transport);
  return {
    client,
    transport,
    call: async (name, data = {}) => await client.callTool({ name, arguments: data }) as ToolAnswer,
  };
}
