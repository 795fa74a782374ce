/**
 * Answers and refusals as an MCP client sees them: text for the model, data beside it for the program.
 *
 * @module
 */
import { type ErrorCode, ERRORS } from "../protocol/errors.ts";
import type { JsonObject, JsonValue } from "../protocol/json.ts";
import { stringifyJson } from "../protocol/json.ts";
import type { ToolResult } from "./tool.ts";

/** What helps where repeating the same call does not. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  INVALID_DATA: "correct the arguments; the tool's input schema says what is expected",
  INVALID_CHANNEL: "correct the channel's name",
  NOT_FOUND: "check the ids that it names",
  FORBIDDEN: "use a token that holds the permission",
  CONFLICT: "read the object again and call with what it says now; a new idempotency_key makes it a new call",
  MESSAGE_TOO_LARGE: "ask for less at once",
  AUTH_REQUIRED: "send a token",
  AUTH_FAILED: "use a valid token",
};

/** The answer's data, as JSON text and as structured content. */
export function answered(data: JsonObject): ToolResult {
  const text = stringifyJson(data);
  return { content: [{ type: "text", text }], structuredContent: plain(data) as Record<string, unknown> };
}

/**
 * A refusal, as an error of the tool and not of the protocol, so that the model reads it: the code, the sentence, and
 * whether the same call can succeed later.
 *
 * @param withKey Whether the tool takes an `idempotency_key`, which makes a repetition safe.
 */
export function refused(code: ErrorCode, message: string, withKey = false): ToolResult {
  const { retryable } = ERRORS[code];
  const advice = ADVICE[code];
  const next = retryable
    ? `Retryable: the same call can succeed later${
      withKey ? "; repeat it with the same idempotency_key" : ""
    }`
    : `Not retryable as it is${advice ? `: ${advice}` : ""}`;
  return {
    content: [{ type: "text", text: `${code}: ${message}\n${next}` }],
    isError: true,
    _meta: { error_code: code, retryable },
  };
}

/**
 * The value as plain JSON, the same that a reader of the text would get: the MCP package writes with `JSON.stringify`,
 * which knows no bigint. Digits beyond 2^53 are in the text only.
 */
function plain(value: JsonValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
}
