/**
 * A sink that keeps what it is told.
 *
 * @module
 */
import type { Failure, TestSink, TestState } from "../../../services/crackerjack/domain/test-sink.ts";

export class ToldSink implements TestSink {
  readonly totals: number[] = [];
  /** How each test ended, in order. */
  readonly states: TestState[] = [];
  readonly failures: Failure[] = [];
  readonly faults: Failure[] = [];
  ends = 0;

  total(count: number): void {
    this.totals.push(count);
  }

  test(state: TestState, failure?: Failure): void {
    this.states.push(state);
    if (failure) this.failures.push(failure);
  }

  fault(failure: Failure): void {
    this.faults.push(failure);
  }

  finished(): void {
    this.ends++;
  }

  /** Names of all that failed. */
  get names(): string[] {
    return [...this.failures, ...this.faults].map(({ test_name }) => test_name);
  }
}
