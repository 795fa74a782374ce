/**
 * Times as a person at a terminal reads them.
 *
 * @module
 */

const UNITS = [["d", 86_400_000], ["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const;

/** How long ago: `now`, `12s ago`, `3m ago`. What is still to come, by another machine's clock, is now. */
export function ago(milliseconds: number): string {
  const unit = UNITS.find(([, size]) => milliseconds >= size);
  return unit === undefined || Number.isNaN(milliseconds) ? "now" : `${span(milliseconds)} ago`;
}

/** The two largest units where that is no more than a few: `3d 4h`, `12m`, `45s`, `250ms`. */
export function span(milliseconds: number): string {
  const at = UNITS.findIndex(([, size]) => milliseconds >= size);
  if (at < 0) return `${Math.max(0, Math.round(milliseconds))}ms`;
  const [unit, size] = UNITS[at]!;
  const count = Math.floor(milliseconds / size);
  const next = UNITS[at + 1];
  const rest = next === undefined ? 0 : Math.floor((milliseconds - count * size) / next[1]);
  return count < 10 && rest > 0 ? `${count}${unit} ${rest}${next![0]}` : `${count}${unit}`;
}
