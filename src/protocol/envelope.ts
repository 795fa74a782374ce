/**
 * The envelope: one JSON object per frame, in both directions.
 *
 * The nine keys, their order and their null rules are those of the Python layer `mcp_common.websocket`, whose
 * clients must go on working; the keys after them are additions that those clients drop silently.
 *
 * @module
 */
import type { JsonObject } from "./json.ts";

/** Every value that `type` may have. Lower case only. */
export const FRAME_TYPES = [
  "request",
  "response",
  "event",
  "error",
  "subscribe",
  "unsubscribe",
  "ping",
  "pong",
  "ack",
] as const;

export type FrameType = (typeof FRAME_TYPES)[number];

/** A frame that a client sent, after decoding. A key that the client left out is `undefined`. */
export interface InboundFrame {
  readonly type: FrameType;
  readonly id?: string | undefined;
  readonly correlation_id?: string | null | undefined;
  readonly event: string | null;
  readonly data: JsonObject;
  readonly room: string | null;
  /** W3C trace context, carried through untouched. */
  readonly traceparent?: string | undefined;
}

/** A frame that the server sends. `encodeFrame` writes the first nine keys always, the rest where they are set. */
export interface OutboundFrame {
  /** UUID, lower case. */
  readonly id: string;
  readonly correlation_id: string | null;
  readonly type: FrameType;
  readonly event: string | null;
  readonly data: JsonObject;
  /** UTC, ISO 8601, with `Z`. */
  readonly timestamp: string;
  readonly room: string | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  /** Position of an event frame: see `Position`. */
  readonly seq?: number | undefined;
  /** The `seq` before this one in the same channel; 0 for none. */
  readonly prev?: number | undefined;
  readonly epoch?: string | undefined;
  readonly traceparent?: string | undefined;
  /** Copies of `data.status` and `data.message` that some existing clients look for at the top level. */
  readonly status?: string | undefined;
  readonly message?: string | undefined;
}

/**
 * A frame of 1 MiB or more is never sent: the Python `websockets` library closes with 1009 above 1,048,576 bytes.
 */
export const MAX_OUTBOUND_FRAME_BYTES = 1_048_575;
