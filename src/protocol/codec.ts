/**
 * Between frames and text. What is taken and how it is written is what the Python layer `mcp_common.websocket` takes
 * and writes, so that its clients notice no difference.
 *
 * @module
 */
import { FRAME_TYPES, type FrameType, type InboundFrame, type OutboundFrame } from "./envelope.ts";
import type { SequencedEvent } from "./event.ts";
import { hasLoneSurrogateEscape } from "./json-text.ts";
import { isJsonObject, type JsonValue, typeInWords } from "./json-value.ts";
import { type JsonObject, parseJson, quoteJson, stringifyJson } from "./json.ts";
import { readTraceparent } from "./traceparent.ts";

export type DecodeResult =
  | { readonly ok: true; readonly frame: InboundFrame }
  | {
    readonly ok: false;
    /** What was expected and what came, for the sender. Shows nothing of what was sent. */
    readonly reason: string;
    /** The frame's id, where one could be read, so that the error can be correlated. */
    readonly id: string | null;
  };

/**
 * How a reply names its request. `compatible` finds the id that the existing client waits for; `strict` always
 * repeats `correlation_id`, as the Python servers do.
 */
export type CorrelationMode = "compatible" | "strict";

const TYPES: ReadonlySet<unknown> = new Set(FRAME_TYPES);
const LOWER_CASE_UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
// ignoreBOM keeps the mark in the text, where it is refused like any other stray character.
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Read a frame from a text message, or from a binary one that holds UTF-8. Never throws.
 *
 * Keys that the envelope does not have are dropped. A `traceparent` that is malformed is dropped too, as the W3C asks.
 */
export function decodeFrame(data: string | Uint8Array): DecodeResult {
  const text = typeof data === "string" ? data : decodeUtf8(data);
  if (text === null) return refuse("Malformed frame: a binary message must hold UTF-8", null);
  if (!text.isWellFormed()) return refuse("Malformed frame: the text holds a lone surrogate", null);
  const parsed = parseJson(text);
  if (!parsed.ok) return refuse(parsed.reason, null);
  const { value } = parsed;
  if (!isJsonObject(value)) {
    return refuse(`Malformed frame: expected a JSON object, got ${typeInWords(value)}`, null);
  }
  const reason = hasLoneSurrogateEscape(text)
    ? "Malformed frame: a string or key holds an escaped lone surrogate"
    : faultOf(value);
  if (reason !== null) {
    return refuse(reason, typeof value.id === "string" && value.id.isWellFormed() ? value.id : null);
  }
  return { ok: true, frame: frameOf(value) };
}

/**
 * Write a frame: the nine keys of the envelope always and in order, then those additions that are set. Its id and its
 * timestamp are written as they are.
 *
 * @param data What `stringifyJson` makes of `frame.data`, where somebody has it already.
 */
export function encodeFrame(frame: OutboundFrame, data: string = stringifyJson(frame.data)): string {
  return `{"id":"${frame.id}","correlation_id":${quoted(frame.correlation_id)},"type":"${frame.type}",` +
    `"event":${quoted(frame.event)},"data":${data},"timestamp":"${frame.timestamp}"${placeAndError(frame)}` +
    `${additions(frame)}}`;
}

const NEITHER = ',"room":null,"error_code":null,"error_message":null';

function placeAndError({ room, error_code: code, error_message: message }: OutboundFrame): string {
  if (room === null && code === null && message === null) return NEITHER;
  return `,"room":${quoted(room)},"error_code":${quoted(code)},"error_message":${quoted(message)}`;
}

function quoted(text: string | null): string {
  return text === null ? "null" : quoteJson(text);
}

/** The keys after the nine, as far as they are set. */
function additions({ seq, prev, epoch, traceparent, status, message }: OutboundFrame): string {
  let text = "";
  if (seq !== undefined) text += `,"seq":${stringifyJson(seq)}`;
  if (prev !== undefined) text += `,"prev":${stringifyJson(prev)}`;
  if (epoch !== undefined) text += `,"epoch":${quoteJson(epoch)}`;
  if (traceparent !== undefined) text += `,"traceparent":${quoteJson(traceparent)}`;
  if (status !== undefined) text += `,"status":${quoteJson(status)}`;
  if (message !== undefined) text += `,"message":${quoteJson(message)}`;
  return text;
}

/** Write the event frame that every member of the event's channel gets. */
export function encodeEvent(event: SequencedEvent): string {
  return stringifyJson({
    id: event.id,
    correlation_id: null,
    type: "event",
    event: event.event,
    data: event.data,
    timestamp: event.timestamp,
    room: event.channel,
    error_code: null,
    error_message: null,
    seq: event.seq,
    prev: event.prev,
    epoch: event.epoch,
    traceparent: event.traceparent,
  });
}

/**
 * The `correlation_id` of the reply to a frame.
 *
 * `compatible`, where a frame carries both ids and they differ: two lower-case UUIDs of version 4 were both filled in
 * by the Python client, which then waits for the reply under its `id`; anything else was chosen by an author, who
 * waits for `correlation_id`. Where a frame carries one of them, that one; where none, null.
 */
export function correlationOf(
  frame: Pick<InboundFrame, "id" | "correlation_id">,
  mode: CorrelationMode,
): string | null {
  const correlation = frame.correlation_id ?? null;
  if (mode === "strict" || frame.id === undefined) return correlation;
  if (correlation === null) return frame.id;
  const filledIn = LOWER_CASE_UUID_V4.test(frame.id) && LOWER_CASE_UUID_V4.test(correlation);
  return filledIn ? frame.id : correlation;
}

function refuse(reason: string, id: string | null): DecodeResult {
  return { ok: false, reason, id };
}

function decodeUtf8(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes);
  } catch {
    return null;
  }
}

/** What keeps an object from being an envelope; null for nothing. */
function faultOf(object: JsonObject): string | null {
  const { type, data } = object;
  if (!TYPES.has(type)) {
    const came = typeof type === "string" ? "another string" : typeInWords(type);
    return `Malformed frame: expected 'type' to be one of ${FRAME_TYPES.join(", ")}, got ${came}`;
  }
  if (data !== undefined && !isJsonObject(data)) {
    return `Malformed frame: expected 'data' to be an object, got ${typeInWords(data)}`;
  }
  return faultOfText("id", object.id) ?? faultOfText("timestamp", object.timestamp) ??
    faultOfTextOrNull("correlation_id", object.correlation_id) ?? faultOfTextOrNull("event", object.event) ??
    faultOfTextOrNull("room", object.room) ?? faultOfTextOrNull("error_code", object.error_code) ??
    faultOfTextOrNull("error_message", object.error_message);
}

function faultOfText(key: string, value: JsonValue | undefined): string | null {
  if (value === undefined || typeof value === "string") return null;
  return `Malformed frame: expected '${key}' to be a string, got ${typeInWords(value)}`;
}

function faultOfTextOrNull(key: string, value: JsonValue | undefined): string | null {
  if (value === undefined || value === null || typeof value === "string") return null;
  return `Malformed frame: expected '${key}' to be a string or null, got ${typeInWords(value)}`;
}

/** The frame in an object in which `faultOf` found nothing. */
function frameOf(object: JsonObject): InboundFrame {
  const { traceparent } = object;
  return {
    type: object.type as FrameType,
    id: object.id as string | undefined,
    correlation_id: object.correlation_id as string | null | undefined,
    event: (object.event ?? null) as string | null,
    data: (object.data ?? {}) as JsonObject,
    room: (object.room ?? null) as string | null,
    traceparent: traceparent === undefined ? undefined : readTraceparent(traceparent),
  };
}
