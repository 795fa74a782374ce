/**
 * Durations as people write them.
 *
 * @module
 */
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A week. */
export const MAX_DURATION_MS = 604_800_000;

export const DURATION_IN_WORDS = "a time like 500ms, 30s, 5m or 1h, or a number of seconds, up to 168h";

/** Milliseconds; undefined where it is no duration. A number counts seconds. */
export function readDuration(value: unknown): number | undefined {
  const ms = typeof value === "number" ? value * 1_000 : typeof value === "string" ? parse(value) : NaN;
  return ms >= 1 && ms <= MAX_DURATION_MS ? Math.round(ms) : undefined;
}

function parse(text: string): number {
  const match = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/.exec(text);
  return match ? Number(match[1]) * UNITS[match[2]!]! : NaN;
}
