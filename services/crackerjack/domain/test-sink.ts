/**
 * What every source of results (a reporter of ours, TAP, JUnit XML) tells, in the same words.
 *
 * @module
 */

export type TestState = "passed" | "failed" | "skipped" | "error";

export interface Failure {
  readonly test_name: string;
  /** Null where the source does not tell. */
  readonly file: string | null;
  readonly error: string;
  readonly traceback: string | null;
}

export interface TestSink {
  /** How many tests there will be. */
  total(count: number): void;
  /** A test has ended. `error` is one that could not be run, such as by a fixture that failed; it counts as failed. */
  test(state: TestState, failure?: Failure): void;
  /** Something failed that is no test: a file that cannot be loaded, a teardown. It counts as failed. */
  fault(failure: Failure): void;
  /** The source came to its end: nothing was cut short. */
  finished(): void;
}

const MAX_NAME = 500;
const MAX_PATH = 1_000;
const MAX_ERROR = 2_000;
const MAX_TRACEBACK = 8_000;

/** A failure within its bounds, as plain text: no colours, no half characters. */
export function boundedFailure(given: {
  readonly name: unknown;
  readonly file?: unknown;
  readonly error?: unknown;
  readonly traceback?: unknown;
}): Failure {
  const error = plain(given.error, MAX_ERROR);
  const traceback = plain(given.traceback, MAX_TRACEBACK);
  return {
    test_name: plain(given.name, MAX_NAME) || "(unnamed)",
    file: plain(given.file, MAX_PATH) || null,
    error: error || plain(traceback.split("\n", 1)[0], MAX_ERROR) || "Failed without a message",
    traceback: traceback || null,
  };
}

const COLOUR = /\p{Cc}\[[\d;]*m/gu;

/** Text without colours and other control characters, cut to `max` UTF-16 units. */
export function plain(value: unknown, max: number): string {
  if (typeof value !== "string") return "";
  const text = value.slice(0, max * 2).replace(COLOUR, "").replace(/[^\P{Cc}\n\t]/gu, "").trim();
  return (text.length > max ? `${text.slice(0, max - 1)}…` : text).toWellFormed();
}
