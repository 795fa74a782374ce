/**
 * Every error that a client can be answered with. One table: what it means, whether the same request can succeed
 * later, and the HTTP status of its twin.
 *
 * @module
 */

export interface ErrorRow {
  /** True where repeating the same request, later and unchanged, can succeed. */
  readonly retryable: boolean;
  /** Status of the same refusal on the HTTP side. */
  readonly httpStatus: 400 | 401 | 403 | 404 | 409 | 413 | 429 | 500 | 503;
  /** When it is answered. */
  readonly meaning: string;
}

const row = (httpStatus: ErrorRow["httpStatus"], retryable: boolean, meaning: string): ErrorRow => ({
  httpStatus,
  retryable,
  meaning,
});

export const ERRORS = {
  DECODE_ERROR: row(400, false, "The frame or body is not a well-formed envelope"),
  INVALID_DATA: row(
    400,
    false,
    "A field is missing, of the wrong type or out of range; the message names it",
  ),
  INVALID_CHANNEL: row(400, false, "The channel's name is malformed, or its kind is not in the contract"),
  UNKNOWN_REQUEST: row(404, false, "No request of this name"),
  NOT_FOUND: row(404, false, "The object that the request names does not exist"),
  FORBIDDEN: row(403, false, "The caller lacks the permission; a new token may bring it"),
  CONFLICT: row(
    409,
    false,
    "The object has changed meanwhile, or the idempotency key was used with other data",
  ),
  RATE_LIMIT_EXCEEDED: row(429, true, "Too many frames or requests; the message says how long to wait"),
  TOO_MANY_CHANNELS: row(400, false, "The connection is in as many channels as it may be"),
  MESSAGE_TOO_LARGE: row(413, false, "An answer or an event would not fit into one frame"),
  NOT_AVAILABLE: row(
    503,
    true,
    "What was asked for is switched off, not offered here, or not up yet; or the disk is full",
  ),
  SERVER_ERROR: row(500, true, "A fault of the server; the message holds an id that the log explains"),
  AUTH_REQUIRED: row(401, false, "The first frame was not an `auth` request; the connection ends"),
  AUTH_FAILED: row(401, false, "The token is missing, malformed, invalid or expired"),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * A refusal that is meant for the caller: code and sentence go out as they are. Thrown by managers and handlers;
 * anything else that they throw is answered with SERVER_ERROR and told to the log only.
 */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
