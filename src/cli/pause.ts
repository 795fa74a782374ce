/**
 * Waiting, by a clock that can be moved.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

/** Wait for `work`, and no longer than `mostMs`. */
export async function atMost(clock: Clock, mostMs: number, work: Promise<unknown>): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => cancel = clock.after(mostMs, resolve));
  await Promise.race([work.then(() => {}, () => {}), late]);
  cancel();
}

/** Wait for `work`, and reject with what `late` makes where that takes longer than `mostMs`. */
export async function within<Result>(
  clock: Clock,
  mostMs: number,
  work: Promise<Result>,
  late: () => Error,
): Promise<Result> {
  let cancel = () => {};
  const tooLate = new Promise<never>((_, reject) => cancel = clock.after(mostMs, () => reject(late())));
  return await Promise.race([work, tooLate]).finally(() => cancel());
}
