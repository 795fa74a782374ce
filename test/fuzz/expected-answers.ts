/**
 * Which answers are due for what was sent, and what came instead.
 *
 * @module
 */
import { correlationOf, decodeFrame } from "../../src/protocol/codec.ts";
import { FRAME_TYPES, MAX_OUTBOUND_FRAME_BYTES } from "../../src/protocol/envelope.ts";
import { ERRORS } from "../../src/protocol/errors.ts";
import type { Message } from "./hostile-messages.ts";

const ENVELOPE = [
  "id",
  "correlation_id",
  "type",
  "event",
  "data",
  "timestamp",
  "room",
  "error_code",
  "error_message",
];
const ANSWERS = new Set(["response", "error", "ack", "pong"]);
/** Types that a client sends as an answer, and that get none. */
const UNANSWERED = new Set(["response", "error", "ack", "pong"]);

// deno-lint-ignore no-explicit-any
export type Answer = Record<string, any>;

export class ExpectedAnswers {
  readonly #due = new Map<string | null, Message[]>();
  #open = 0;

  /** A message is on its way: exactly one answer is due, unless it is one itself. */
  expect(message: Message): void {
    const decoded = decodeFrame(message);
    if (decoded.ok && UNANSWERED.has(decoded.frame.type)) return;
    const correlation = decoded.ok ? correlationOf(decoded.frame, "compatible") : decoded.id;
    const waiting = this.#due.get(correlation) ?? [];
    waiting.push(message);
    this.#due.set(correlation, waiting);
    this.#open++;
  }

  get open(): number {
    return this.#open;
  }

  get unanswered(): Message[] {
    return [...this.#due.values()].flat();
  }

  /** Which message this answers: null for a frame that is no answer, undefined where it answers none that is open. */
  answered(frame: Answer): Message | null | undefined {
    if (!ANSWERS.has(frame.type)) return null;
    // Said of a subscription, unasked.
    if (frame.type === "error" && frame.room !== null) return null;
    const waiting = this.#due.get(frame.correlation_id);
    const message = waiting?.shift();
    if (message === undefined) return undefined;
    if (waiting!.length === 0) this.#due.delete(frame.correlation_id);
    this.#open--;
    return message;
  }
}

/** What is wrong with a frame of the server itself; null for nothing. */
export function faultOfFrame(text: string, frame: Answer): string | null {
  const keys = Object.keys(frame).slice(0, ENVELOPE.length);
  if (keys.join() !== ENVELOPE.join()) return `keys ${keys.join()}`;
  if (!text.isWellFormed() || /\\ud[89a-f]/i.test(text) && !JSON.stringify(JSON.parse(text)).isWellFormed()) {
    return "half a character";
  }
  if (Buffer.byteLength(text) > MAX_OUTBOUND_FRAME_BYTES) return `${Buffer.byteLength(text)} bytes`;
  if (!(FRAME_TYPES as readonly string[]).includes(frame.type)) return `type ${frame.type}`;
  if ((frame.type === "error") !== (frame.error_code !== null)) return `error_code ${frame.error_code}`;
  if (frame.error_code !== null && !Object.hasOwn(ERRORS, frame.error_code)) {
    return `error_code ${frame.error_code}`;
  }
  if (frame.error_code !== null && typeof frame.error_message !== "string") return "no error_message";
  if (typeof frame.data !== "object" || frame.data === null || Array.isArray(frame.data)) {
    return "data that is none";
  }
  return null;
}
