/**
 * Counts what a run's results say, and keeps the failures until they are told.
 *
 * @module
 */
import type { Counts } from "./runs.ts";
import type { Failure, TestSink, TestState } from "./test-sink.ts";

export class RunTally implements TestSink {
  readonly #maxFailures: number;
  #total: number | null = null;
  #done = 0;
  #passed = 0;
  #failed = 0;
  #skipped = 0;
  #errors = 0;
  #told = 0;
  #failures: Failure[] = [];
  #isDirty = false;
  /** Whether the results came to their end. */
  isFinished = false;

  /** @param maxFailures More are counted, and not told one by one. */
  constructor(maxFailures: number) {
    this.#maxFailures = maxFailures;
  }

  total(count: number): void {
    this.#total = count;
    this.#isDirty = true;
  }

  test(state: TestState, failure?: Failure): void {
    this.#done++;
    if (state === "passed") this.#passed++;
    if (state === "skipped") this.#skipped++;
    if (failure) this.#fail(failure);
    if (state === "error") this.#errors++;
    this.#isDirty = true;
  }

  fault(failure: Failure): void {
    this.#errors++;
    this.#fail(failure);
    this.#isDirty = true;
  }

  finished(): void {
    this.isFinished = true;
    this.#total = this.#done;
    this.#isDirty = true;
  }

  get counts(): Counts {
    return {
      // Subtests may make more of them than were announced.
      total: this.#total === null ? null : Math.max(this.#total, this.#done),
      done: this.#done,
      passed: this.#passed,
      failed: this.#failed,
      skipped: this.#skipped,
      errors: this.#errors,
    };
  }

  /** Failures since the last call; null where nothing at all has changed since. */
  news(): Failure[] | null {
    if (!this.#isDirty) return null;
    this.#isDirty = false;
    return this.#failures.splice(0);
  }

  #fail(failure: Failure): void {
    this.#failed++;
    if (this.#told >= this.#maxFailures) return;
    this.#told++;
    this.#failures.push(failure);
  }
}
