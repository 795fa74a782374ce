/**
 * Frames as the client writes and reads them. Servers of the Python layer send the same ones without positions.
 *
 * @module
 */

/** An inbound frame, as far as the client looks at it. Nothing of it is certain. */
export interface InboundFrame {
  readonly type?: string;
  readonly id?: string;
  readonly correlation_id?: string | null;
  readonly event?: string | null;
  // deno-lint-ignore no-explicit-any
  readonly data?: Record<string, any>;
  readonly timestamp?: string;
  readonly room?: string | null;
  readonly error_code?: string | null;
  readonly error_message?: string | null;
  readonly seq?: number;
  readonly prev?: number;
  readonly epoch?: string;
}

/** A request frame. Servers differ in which of the two ids they echo, so both are the same. */
export function requestFrame(id: string, event: string, data: object): string {
  return JSON.stringify({ type: "request", id, correlation_id: id, event, data });
}

/** The frame, or null for what is not a JSON object in text, or has something else where data or a name belongs. */
export function parseFrame(message: unknown): InboundFrame | null {
  try {
    const frame = JSON.parse(message as string);
    // Throws for what is no object.
    frame.data ??= {};
    return typeof frame.data === "object" && typeof (frame.room ?? "") === "string" ? frame : null;
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

/** The part before the first colon. */
export function kindOf(channel: string): string {
  return channel.split(":", 1)[0]!;
}
