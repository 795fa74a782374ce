/**
 * The frames that answer a client, and those that tell it something of its own.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import { timestamp } from "../ports/clock.ts";
import { type FrameType, MAX_OUTBOUND_FRAME_BYTES, type OutboundFrame } from "../protocol/envelope.ts";
import type { ErrorCode } from "../protocol/errors.ts";
import type { JsonObject } from "../protocol/json.ts";

/** What a reply says; the rest of the envelope is filled in. */
export interface ReplyParts {
  readonly type: FrameType;
  readonly event?: string | null;
  readonly data?: JsonObject;
  /** `data` as JSON, where it has been written already. */
  readonly dataText?: string | undefined;
  readonly correlationId?: string | null;
  readonly room?: string | null;
  readonly error?: { readonly code: ErrorCode; readonly message: string };
  readonly seq?: number;
  readonly epoch?: string;
  readonly traceparent?: string | undefined;
}

/**
 * Fill an envelope. `data.status` and `data.message` are repeated at the top level, where some existing clients look
 * for them; all others drop keys that they do not know.
 */
export function outboundFrame(parts: ReplyParts, clock: Clock): OutboundFrame {
  const data = parts.data ?? {};
  return {
    id: crypto.randomUUID(),
    correlation_id: parts.correlationId ?? null,
    type: parts.type,
    event: parts.event ?? null,
    data,
    timestamp: timestamp(clock),
    room: parts.room ?? null,
    error_code: parts.error?.code ?? null,
    error_message: parts.error?.message ?? null,
    seq: parts.seq,
    epoch: parts.epoch,
    traceparent: parts.traceparent,
    status: text(data["status"]),
    message: parts.type === "event" ? text(data["message"]) : undefined,
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** What a client gives to tell its requests apart is sent back only up to this length. */
const ECHOED_CHARACTERS = 1_024;

/** The error that stands in for a reply which does not fit into a frame. */
export function tooLarge(parts: ReplyParts, bytes: number): ReplyParts {
  const echoed = (value: string | null | undefined) =>
    value && value.length <= ECHOED_CHARACTERS ? value : null;
  const event = echoed(parts.event);
  const message = `The answer has ${bytes} bytes and a frame holds ${MAX_OUTBOUND_FRAME_BYTES}: ` +
    `ask for less, or over HTTP at /api/requests/${event ?? "{name}"}`;
  return {
    type: "error",
    event,
    correlationId: echoed(parts.correlationId),
    error: { code: "MESSAGE_TOO_LARGE", message },
  };
}
