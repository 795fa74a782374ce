/**
 * How long a token is to be good, as words of a command say it.
 *
 * @module
 */
import { SettingsError } from "../settings/settings-error.ts";

const SECONDS = { s: 1, m: 60, h: 3_600, d: 86_400 } as const;
/** Ten years. Whoever wants longer says never. */
const MOST_SECONDS = 3_650 * 86_400;

/**
 * A lifetime like `30s`, `15m`, `1h`, `7d` or `never`.
 *
 * @returns seconds, or null for never.
 * @throws {SettingsError} where it is none.
 */
export function readLifetime(text: string | undefined, standard: number): number | null {
  if (text === undefined) return standard;
  if (text === "never") return null;
  const [, count, unit] = /^(\d{1,10})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * SECONDS[unit as keyof typeof SECONDS];
  if (seconds >= 1 && seconds <= MOST_SECONDS) return seconds;
  throw new SettingsError([
    `--expires: expected a time like 30s, 15m, 1h or 7d (at most 3650d), or never, got "${text}"`,
  ]);
}
