/**
 * Frames as the client writes and reads them. Servers of the Python layer send the same ones without positions.
 *
 * @module
 */
import type { Position } from "../protocol/event.ts";

/** Larger messages are taken neither by servers nor by the client: the connection ends. */
export const MAX_FRAME_BYTES = 1_048_576;

/** An inbound frame, as far as the client looks at it. What is there has its type; what stands in `data` has any. */
export interface InboundFrame {
  readonly type?: string;
  readonly id?: string | null;
  readonly correlation_id?: string | null;
  readonly event?: string | null;
  // deno-lint-ignore no-explicit-any
  readonly data?: Record<string, any>;
  readonly timestamp?: string | null;
  readonly room?: string | null;
  readonly error_code?: string | null;
  readonly error_message?: string | null;
  readonly seq?: number;
  readonly prev?: number;
  readonly epoch?: string;
  readonly traceparent?: unknown;
}

/** How frames are read and written. `JSON` is one; another may keep integers that a double cannot hold. */
export interface JsonCodec {
  /** Throws for what it does not take. */
  parse(text: string): unknown;
  stringify(value: object): string;
}

/** A request frame. Servers differ in which of the two ids they echo, so both are the same. */
export function requestFrame(
  json: JsonCodec,
  id: string,
  event: string,
  data: object,
  traceparent?: string,
): string {
  return json.stringify({ type: "request", id, correlation_id: id, event, data, traceparent });
}

/** Characters. It goes back to the server with every subscribe. */
const MAX_EPOCH_LENGTH = 255;

const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;

/** The position that an answer or a frame names, or null where it names none. */
export function positionOf({ epoch, seq }: { epoch?: unknown; seq?: unknown }): Position | null {
  const isPosition = typeof epoch === "string" && epoch.length <= MAX_EPOCH_LENGTH && isCount(seq);
  return isPosition ? { epoch, seq: seq as number } : null;
}

function isFrame(frame: Record<string, unknown>): boolean {
  const { type, data, seq, prev, epoch } = frame;
  const names = ["event", "room", "id", "timestamp", "correlation_id", "error_code", "error_message"];
  return typeof type === "string" && names.every((name) => typeof (frame[name] ?? "") === "string") &&
    typeof data === "object" && !Array.isArray(data) &&
    (positionOf(frame) !== null || (seq === undefined && epoch === undefined)) && isCount(prev ?? 0);
}

/** The frame, or null for what is none: no JSON object in text, or with a member of another type than it has. */
export function parseFrame(message: unknown, json: JsonCodec = JSON): InboundFrame | null {
  try {
    // deno-lint-ignore no-explicit-any
    const frame = json.parse(message as string) as any;
    // Throws for what is no object.
    frame.data ??= {};
    return typeof message === "string" && isFrame(frame) ? frame : null;
  } catch {
    return null;
  }
}

/** A UUID of version 4. `crypto.randomUUID` is missing in pages that were not loaded over HTTPS. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6]! & 15 | 64;
  bytes[8] = bytes[8]! & 63 | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
