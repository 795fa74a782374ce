/**
 * Refusals of the endpoint itself, as JSON-RPC errors.
 *
 * @module
 */

/** Codes of JSON-RPC, and those that the MCP package uses in its own range. */
export const RPC = {
  PARSE: -32700,
  INTERNAL: -32603,
  INVALID_PARAMS: -32602,
  INVALID_REQUEST: -32600,
  RESOURCE_NOT_FOUND: -32002,
  SESSION_NOT_FOUND: -32001,
  REFUSED: -32000,
} as const;

/**
 * A refusal of a request within a session. The package's own error would put its code into the sentence, on both sides.
 */
export class RpcRefusal extends Error {
  override readonly name = "RpcRefusal";
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** @param id Of the request that it answers, where it answers one. */
export function failure(
  status: number,
  code: number,
  message: string,
  headers: Readonly<Record<string, string>> = {},
  id: string | number | null = null,
): Response {
  return new Response(JSON.stringify({ jsonrpc: "2.0", error: { code, message }, id }), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}

/** A refusal of the MCP package without the details that it may carry beside the sentence. */
export async function withoutDetails(response: Response): Promise<Response> {
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  if (response.status < 400 || !isJson) return response;
  const { error, ...rest } = await response.json();
  const { code, message } = error;
  return new Response(JSON.stringify({ ...rest, error: { code, message } }), {
    status: response.status,
    headers: response.headers,
  });
}
