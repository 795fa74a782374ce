/**
 * What a close frame may say.
 *
 * @module
 */
import { CLOSE_CODES } from "../protocol/close-codes.ts";

/**
 * The code itself, or 1011 for one that may not be sent (RFC 6455, section 7.4): some runtimes throw then, others send
 * a frame that the peer takes for a protocol fault.
 */
export function sendableCode(code: number): number {
  const isDefined = code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006;
  return isDefined || (code >= 3000 && code <= 4999) ? code : CLOSE_CODES.INTERNAL.code;
}
