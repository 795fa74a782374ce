/**
 * Answers for idempotency keys where there is no database: they end with the process. See `Answers`.
 *
 * Two packs, a young and an old one. When the young one is half of what may be kept, it becomes the old one and the
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
import { AnswerPack, type PackName, packName } from "./answer-pack.ts";

export interface MemoryAnswersOptions {
  readonly clock: Clock;
  /** At least the younger half of what count and bytes allow is kept. */
  readonly bounds?: AnswerBounds;
}

export class MemoryAnswers implements Answers {
  readonly #clock: Clock;
  readonly #bounds: AnswerBounds;
  #young = new AnswerPack();
  #old = new AnswerPack();
  /** When the young pack was begun. */
  #begun: number;
  /** What was looked for last is what is saved next, where its handler does not wait. */
  #latest: { readonly once: Once; readonly name: PackName } | null = null;

  constructor(options: MemoryAnswersOptions) {
    this.#clock = options.clock;
    this.#bounds = options.bounds ?? DEFAULT_ANSWER_BOUNDS;
    this.#begun = options.clock.monotonic();
  }

  find(once: Once): StoredAnswer | undefined {
    const name = this.#nameOf(once);
    const kept = this.#young.find(name) ?? this.#old.find(name);
    if (!kept || this.#clock.monotonic() - kept.at > this.#bounds.ageMs) return undefined;
    return { digest: kept.digest, answer: kept.answer };
  }

  save(once: Once, answer: string): void {
    const { count, bytes, ageMs } = this.#bounds;
    const at = this.#clock.monotonic();
    const name = this.#nameOf(once);
    const { digest } = once;
    const size = name.bytes + digest.length + answer.length;
    const full = this.#young.count + 1 > count / 2 || this.#young.bytes + size > bytes / 2;
    if (full || at - this.#begun > ageMs) this.#turn(at);
    if (size <= bytes) this.#young.save(name, { digest, answer, at });
  }

  #nameOf(once: Once): PackName {
    if (this.#latest?.once !== once) this.#latest = { once, name: packName(nameOf(once)) };
    return this.#latest.name;
  }

  #turn(now: number): void {
    this.#old = this.#young;
    this.#young = new AnswerPack(this.#old);
    this.#begun = now;
  }
}

/** Neither part can be taken for the other, whatever they hold. */
function nameOf({ scope, key }: Once): string {
  const name = `${scope.length}:${scope}${key}`;
  return name.isWellFormed() ? name : JSON.stringify(name);
}
