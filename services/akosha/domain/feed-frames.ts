/**
 * What a feed hears, of anybody: frames are read as if a stranger had written them.
 *
 * @module
 */
import { parseJson } from "../../../src/protocol/json.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";

export interface FeedPosition {
  readonly epoch: string;
  readonly seq: number;
}

export type FeedFrame =
  /** Something happened in a channel. */
  | (
    & { readonly type: "event"; readonly event: string; readonly channel: string; readonly data: JsonObject }
    & FeedPosition
    & { readonly timestamp: string }
  )
  /** How far all of a channel was seen, what the filter left out included. */
  | ({ readonly type: "position"; readonly channel: string } & FeedPosition)
  /** What can no longer be replayed. */
  | ({ readonly type: "gap"; readonly channel: string; readonly cause: string } & FeedPosition)
  | { readonly type: "reply"; readonly id: string; readonly data: JsonObject }
  | { readonly type: "refused"; readonly id: string | null; readonly code: string; readonly message: string }
  /** Of no interest: the welcome, a pong. */
  | { readonly type: "other" };

/** Null where it is no frame of the protocol. */
export function readFrame(text: string): FeedFrame | null {
  const parsed = parseJson(text);
  if (!parsed.ok) return null;
  const frame = asObject(parsed.value);
  const data = asObject(frame?.data);
  if (!frame || !data || typeof frame.type !== "string") return null;
  const { type, event, room, seq, epoch, correlation_id: id } = frame;
  if (type === "error") {
    return {
      type: "refused",
      id: typeof id === "string" ? id : null,
      code: printable(frame.error_code),
      message: printable(frame.error_message),
    };
  }
  if ((type === "response" || type === "ack") && typeof id === "string") return { type: "reply", id, data };
  // The welcome belongs to no channel.
  if (type !== "event" || room === null) return { type: "other" };
  if (typeof room !== "string" || typeof event !== "string" || !isPosition({ epoch, seq })) return null;
  const position = { epoch: epoch as string, seq: seq as number };
  if (event === "position") return { type: "position", channel: room, ...position };
  if (event === "gap") return { type: "gap", channel: room, cause: printable(data.cause), ...position };
  const timestamp = typeof frame.timestamp === "string" ? frame.timestamp : "";
  return { type: "event", event, channel: room, data, timestamp, ...position };
}

export function isPosition(value: { epoch?: unknown; seq?: unknown }): value is FeedPosition {
  const { epoch, seq } = value;
  return typeof epoch === "string" && epoch.length > 0 && epoch.length <= 200 && Number.isSafeInteger(seq) &&
    (seq as number) >= 0;
}

function asObject(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value as JsonObject : null;
}

/** A stranger's words, as a log can hold them. */
function printable(value: unknown): string {
  return typeof value === "string" ? value.slice(0, 200) : "";
}
