/**
 * Answers of requests that came with an idempotency key, kept for a while so that the same request is done once.
 *
 * @module
 */
import type { Once } from "./call.ts";

export interface StoredAnswer {
  /** Digest of the data that came with the first request. */
  readonly digest: string;
  /** The reply's data, as JSON text. */
  readonly answer: string;
}

/** How long and how many. The oldest go first. */
export interface AnswerBounds {
  /** @default 300_000 */
  readonly ageMs: number;
  /** @default 10_000 */
  readonly count: number;
  /** @default 16_777_216 */
  readonly bytes: number;
}

export const DEFAULT_ANSWER_BOUNDS: AnswerBounds = { ageMs: 300_000, count: 10_000, bytes: 16_777_216 };

export interface Answers {
  find(once: Once): StoredAnswer | undefined;
  /** Keep an answer. In a database this joins the transaction that is under way. */
  save(once: Once, answer: string): void;
}
