/**
 * Answers for idempotency keys where there is no database: they end with the process. See `Answers`.
 *
 * Two maps, a young and an old one. When the young one is half of what may be kept, it becomes the old one and the
 * former old one is forgotten, so that nothing has to be looked for to be deleted.
 *
 * @module
 */
import {
  type AnswerBounds,
  type Answers,
  DEFAULT_ANSWER_BOUNDS,
  type StoredAnswer,
} from "../ports/answers.ts";
import type { Once } from "../ports/call.ts";
import type { Clock } from "../ports/clock.ts";
import { utf8Length } from "./data-text.ts";

export interface MemoryAnswersOptions {
  readonly clock: Clock;
  /** At least the younger half of what count and bytes allow is kept. */
  readonly bounds?: AnswerBounds;
}

interface Kept extends StoredAnswer {
  /** Monotonic milliseconds. */
  readonly at: number;
}

export class MemoryAnswers implements Answers {
  readonly #clock: Clock;
  readonly #bounds: AnswerBounds;
  #young = new Map<string, Kept>();
  #old = new Map<string, Kept>();
  #youngBytes = 0;
  /** When the young map was begun. */
  #begun: number;

  constructor(options: MemoryAnswersOptions) {
    this.#clock = options.clock;
    this.#bounds = options.bounds ?? DEFAULT_ANSWER_BOUNDS;
    this.#begun = options.clock.monotonic();
  }

  find(once: Once): StoredAnswer | undefined {
    const name = nameOf(once);
    const kept = this.#young.get(name) ?? this.#old.get(name);
    if (!kept || this.#clock.monotonic() - kept.at > this.#bounds.ageMs) return undefined;
    return { digest: kept.digest, answer: kept.answer };
  }

  save(once: Once, answer: string): void {
    const now = this.#clock.monotonic();
    const name = nameOf(once);
    const bytes = utf8Length(answer) + name.length + once.digest.length;
    const full = this.#young.size + 1 > this.#bounds.count / 2 ||
      this.#youngBytes + bytes > this.#bounds.bytes / 2;
    if (full || now - this.#begun > this.#bounds.ageMs) this.#turn(now);
    if (bytes > this.#bounds.bytes) return;
    this.#young.set(name, { digest: once.digest, answer, at: now });
    this.#youngBytes += bytes;
  }

  #turn(now: number): void {
    this.#old = this.#young;
    this.#young = new Map();
    this.#youngBytes = 0;
    this.#begun = now;
  }
}

/** Neither part can be taken for the other, whatever they hold. */
function nameOf(once: Once): string {
  return `${once.scope.length}:${once.scope}${once.key}`;
}
