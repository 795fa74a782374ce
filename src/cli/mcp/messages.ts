/**
 * Messages of JSON-RPC, as far as a bridge has to tell them apart. What they say stays as it came.
 *
 * @module
 */
import { isJsonObject, type JsonObject, type JsonValue } from "../../protocol/json-value.ts";

/** What a request is answered under. */
export type MessageId = string | number | bigint;

export interface RpcRequest {
  readonly kind: "request";
  readonly id: MessageId;
  readonly method: string;
  readonly params: JsonObject;
  readonly message: JsonObject;
}

export interface RpcNotification {
  readonly kind: "notification";
  readonly method: string;
  readonly params: JsonObject;
  readonly message: JsonObject;
}

/** A result or an error. */
export interface RpcResponse {
  readonly kind: "response";
  /** Null where an error answers something that had none. */
  readonly id: MessageId | null;
  readonly message: JsonObject;
}

export type Rpc = RpcRequest | RpcNotification | RpcResponse;

/** Codes of JSON-RPC, and the one that MCP's own package uses for what the server refuses. */
export const RPC_CODES = {
  parse: -32700,
  invalidRequest: -32600,
  internal: -32603,
  refused: -32000,
} as const;

/** @returns what it is, or a sentence that says why it is no message. */
export function readMessage(value: JsonValue): Rpc | string {
  if (Array.isArray(value)) return "Batches are not taken: send one message per line";
  if (!isJsonObject(value)) return "Expected a JSON-RPC message, an object";
  if (value.jsonrpc !== "2.0") return 'Expected "jsonrpc": "2.0"';
  const { id, method } = value;
  const params = value.params !== undefined && isJsonObject(value.params) ? value.params : {};
  if (typeof method === "string") {
    if (id === undefined) return { kind: "notification", method, params, message: value };
    if (isId(id)) return { kind: "request", id, method, params, message: value };
    return 'Expected a text or a number as "id"';
  }
  if ("result" in value || "error" in value) {
    if (id === null || id === undefined) return { kind: "response", id: null, message: value };
    if (isId(id)) return { kind: "response", id, message: value };
  }
  return 'Expected "method", "result" or "error"';
}

export function isId(value: JsonValue | undefined): value is MessageId {
  return typeof value === "string" || typeof value === "number" || typeof value === "bigint";
}

/** The id of what could not be read as a message, where there is one. */
export function idOf(value: JsonValue): MessageId | null {
  return isJsonObject(value) && isId(value.id) ? value.id : null;
}

/** An id as a key: `1` and `"1"` are two ids. */
export function keyOf(id: MessageId): string {
  return `${typeof id === "string" ? "text" : "number"}:${id}`;
}

export function errorMessage(id: MessageId | null, code: number, message: string): JsonObject {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

export function notification(method: string, params?: JsonObject): JsonObject {
  return { jsonrpc: "2.0", method, ...(params ? { params } : {}) };
}
