/**
 * Prompts, as one MCP session sees them.
 *
 * @module
 */
import { PromptError, type PromptProvider } from "./prompts.ts";
import {
  ErrorCode,
  GetPromptRequestSchema,
  type GetPromptResult,
  ListPromptsRequestSchema,
  type ListPromptsResult,
  McpError,
  type Server,
} from "./sdk.ts";

export function offerPrompts(server: Server, prompts: PromptProvider): void {
  const listing = { prompts: prompts.list() } as unknown as ListPromptsResult;
  server.setRequestHandler(ListPromptsRequestSchema, () => listing);
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => {
    try {
      return prompts.get(params.name, params.arguments ?? {}) as unknown as GetPromptResult;
    } catch (error) {
      if (error instanceof PromptError) throw new McpError(ErrorCode.InvalidParams, error.message);
      throw error;
    }
  });
}
