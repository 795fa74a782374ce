/**
 * Time comes in by this door and no other, so that tests never sleep.
 *
 * @module
 */

/** Undoes what was scheduled; harmless when it has already run. */
export type Cancel = () => void;

export interface Clock {
  /** Wall clock, milliseconds since the Unix epoch. For what people read, never for durations. */
  now(): number;
  /** Monotonic clock, milliseconds from an arbitrary start. For durations, limits and leases. */
  monotonic(): number;
  /** Run once after `delayMs` milliseconds. Never keeps the process alive by itself. */
  after(delayMs: number, work: () => void): Cancel;
  /** Run every `intervalMs` milliseconds. Never keeps the process alive by itself. */
  every(intervalMs: number, work: () => void): Cancel;
  /** Run once at the end of this tick of the event loop, after pending input and promise callbacks. */
  endOfTick(work: () => void): void;
}

type Timer = ReturnType<typeof setTimeout>;

/** Timers that must not hold the process: `unref` exists on Node, Deno and Bun, and not in a browser. */
function released(timer: Timer): Timer {
  (timer as { unref?: () => void }).unref?.();
  return timer;
}

/** `setImmediate` where there is one (Node, Deno, Bun). */
const defer: (work: () => void) => void = typeof setImmediate === "function"
  ? (work) => void setImmediate(work)
  : (work) => void setTimeout(work, 0);

/** Longer waits would end at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(delayMs, work) {
    const timer = released(setTimeout(work, Math.min(delayMs, LONGEST_MS)));
    return () => clearTimeout(timer);
  },
  every(intervalMs, work) {
    const timer = released(setInterval(work, intervalMs));
    return () => clearInterval(timer);
  },
  endOfTick: defer,
};

/** Resolves when this turn of the process's event loop is over, whatever a server takes for its clock. */
export function turnOfProcess(): Promise<void> {
  return new Promise((resolve) => defer(resolve));
}

/** The machine's clock with timers that keep the process alive: for a client, whose application waits for it. */
export const wakefulClock: Clock = {
  ...systemClock,
  after(delayMs, work) {
    const timer = setTimeout(work, Math.min(delayMs, LONGEST_MS));
    return () => clearTimeout(timer);
  },
  every(intervalMs, work) {
    const timer = setInterval(work, intervalMs);
    return () => clearInterval(timer);
  },
};

/** The clock's wall time as every timestamp of the project is written: UTC, ISO 8601, milliseconds, `Z`. */
export function timestamp(clock: Clock): string {
  const now = clock.now();
  if (now !== latest.now) latest = { now, text: new Date(now).toISOString() };
  return latest.text;
}

/** Many are written in a millisecond. */
let latest = { now: NaN, text: "" };
