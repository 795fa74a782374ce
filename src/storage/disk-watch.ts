/**
 * Remembers that a disk was full a moment ago: while it is, what changes state fails, and a service is not ready.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";

/** So long a disk counts as full after a write has failed, in milliseconds; then the next write is to tell. */
const FULL_MS = 10_000;
/** Errors have causes, which have causes. */
const MAX_CAUSES = 5;

/** Whether something failed as there was no room left, by words, since each engine has its own codes. */
export function isDiskFull(error: unknown): boolean {
  let at = error;
  for (let depth = 0; depth < MAX_CAUSES && at instanceof Error; depth++, at = at.cause) {
    const code = String((at as { code?: unknown }).code ?? "");
    if (/ENOSPC|EDQUOT|SQLITE_FULL/.test(code) || /database or disk is full/i.test(at.message)) return true;
  }
  return false;
}

export class DiskWatch {
  readonly #clock: Clock;
  #fullAt: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A write has failed. */
  note(error: unknown): void {
    if (isDiskFull(error)) this.#fullAt = this.#clock.monotonic();
  }

  get isFull(): boolean {
    return this.#fullAt !== null && this.#clock.monotonic() - this.#fullAt < FULL_MS;
  }
}
