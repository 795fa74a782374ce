/**
 * Times as they stand on the command line.
 *
 * @module
 */
import { quoted, SettingsError } from "../settings/settings-error.ts";

const MILLISECONDS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** A timer cannot wait for much longer. */
const MOST_DAYS = 24;

/**
 * A time like `500ms`, `30s`, `10m`, `2h` or `1d`.
 *
 * @param flag Begins the sentence where it is none.
 * @returns milliseconds, at least 1.
 * @throws {SettingsError}
 */
export function readDuration(flag: string, text: string): number {
  const [, count, unit] = /^(\d{1,10})(ms|s|m|h|d)$/.exec(text) ?? [];
  const milliseconds = Number(count) * MILLISECONDS[unit as keyof typeof MILLISECONDS];
  if (milliseconds >= 1 && milliseconds <= MOST_DAYS * MILLISECONDS.d) return milliseconds;
  throw new SettingsError([
    `${flag}: expected a time like 500ms, 30s, 10m or 2h (at most ${MOST_DAYS}d), got ${quoted(text)}`,
  ]);
}
