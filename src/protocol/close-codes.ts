/**
 * Why a connection ends. One table; the number alone tells a client whether to come back.
 *
 * @module
 */

export interface CloseCode {
  readonly code: number;
  /** When a connection ends with it. */
  readonly meaning: string;
  /** True where the client is expected to connect again by itself. */
  readonly reconnect: boolean;
}

export const CLOSE_CODES = {
  NORMAL: { code: 1000, reconnect: false, meaning: "Done: one side has ended the connection on purpose" },
  GOING_AWAY: { code: 1001, reconnect: true, meaning: "The server stops; come back later" },
  REFUSED: { code: 1008, reconnect: false, meaning: "Authentication is missing or was refused" },
  TOO_LARGE: { code: 1009, reconnect: false, meaning: "A message was larger than is taken" },
  INTERNAL: { code: 1011, reconnect: true, meaning: "A fault of the server" },
  FULL: {
    code: 1013,
    reconnect: true,
    meaning: "The server has no room for more connections; come back later",
  },
  SLOW_CONSUMER: {
    code: 4000,
    reconnect: true,
    meaning: "The client read too slowly and its queue was full; come back and resume from the last position",
  },
  TOKEN_EXPIRED: { code: 4001, reconnect: true, meaning: "The token has expired; come back with a new one" },
  DRAINING: {
    code: 4002,
    reconnect: true,
    meaning: "The server is being drained; come back within the window that the reason names",
  },
  ABUSE: { code: 4500, reconnect: false, meaning: "The client kept exceeding its limits; do not come back" },
} as const satisfies Record<string, CloseCode>;

export type CloseCodeName = keyof typeof CLOSE_CODES;

/**
 * Codes below 4000 after which a client comes back. Written out, so that who needs no more than this need not load the
 * table. Besides those of the table: 1005 (closed without a code, as a proxy
 * that stops does: our servers always give one), 1006 (lost, or ended by a server whose peer had stalled),
 * 1012 (restart) and 1014 (bad gateway).
 */
const RECONNECT_BELOW_4000: ReadonlySet<number> = new Set([1001, 1005, 1006, 1011, 1012, 1013, 1014]);

/**
 * Should a client connect again after a close with this code? 4000-4499 yes, whatever later versions add there;
 * 4500-4999 no. Below 4000 only after codes that time can cure: the others (a protocol fault, a refusal, a message too
 * large, a bad certificate, a code that nobody has defined) would only come again.
 */
export function shouldReconnect(code: number): boolean {
  return code < 4000 ? RECONNECT_BELOW_4000.has(code) : code < 4500;
}

/** A close frame holds 125 bytes, two of them for the code. */
const MAX_REASON_BYTES = 123;

/** The text cut to the 123 bytes of UTF-8 that a close frame can carry, at a character's end. */
export function closeReason(text: string): string {
  // No character takes less than a byte, so none after this many units can be part of the answer.
  const candidate = text.slice(0, MAX_REASON_BYTES + 1).toWellFormed();
  let bytes = 0;
  let end = 0;
  for (const character of candidate) {
    bytes += utf8Bytes(character.codePointAt(0) ?? 0);
    if (bytes > MAX_REASON_BYTES) break;
    end += character.length;
  }
  return candidate.slice(0, end);
}

function utf8Bytes(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
