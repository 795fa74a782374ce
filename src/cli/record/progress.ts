/**
 * How far a long command is, in a line at the bottom of a terminal.
 *
 * @module
 */
import type { Clock } from "../../ports/clock.ts";

/** How often it is drawn anew, in milliseconds. */
export const PROGRESS_MS = 500;
/** Over how many drawings a rate is told. */
const WINDOW = 10;

const UNITS = [["GiB", 1_073_741_824], ["MiB", 1_048_576], ["KiB", 1_024]] as const;

/** A size as a person reads it: `512 B`, `3.4 KiB`. */
export function sizeText(bytes: number): string {
  const [unit, size] = UNITS.find(([, size]) => bytes >= size) ?? ["B", 1];
  return size === 1 ? `${bytes} B` : `${(bytes / size).toFixed(1)} ${unit}`;
}

/** How fast something is counted, over the last few seconds. */
export class Rate {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #seen: { readonly at: number; readonly count: number }[] = [];

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** Per second, with the count as it is now. */
  next(count: number): number {
    this.#seen.push({ at: this.#clock.monotonic(), count });
    if (this.#seen.length > WINDOW) this.#seen.shift();
    const [first, last] = [this.#seen[0]!, this.#seen.at(-1)!];
    const seconds = (last.at - first.at) / 1_000;
    return seconds > 0 ? (last.count - first.count) / seconds : 0;
  }
}

/** `1 event`, `1,234 events`. */
export function counted(count: number, one: string): string {
  return `${count.toLocaleString("en")} ${one}${count === 1 ? "" : "s"}`;
}
