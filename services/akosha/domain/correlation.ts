/**
 * Do two metrics move together? Their changes from window to window are correlated, so that two that merely both grow
 * do not count.
 *
 * @module
 */
import { sampleCorrelation, standardDeviation } from "simple-statistics";

export const CORRELATION_WINDOWS = 64;
const MIN_CHANGES = 20;
/** Windows that both must have. */
export const MIN_WINDOWS = MIN_CHANGES + 1;
const MIN_CORRELATION = 0.7;
/** The t statistic from which a correlation is told. */
const MIN_STATISTIC = 6;
/** Below it one that was told is over. */
const LEAST_CORRELATION = 0.4;

/** A window's mean. */
export interface WindowMean {
  readonly start: number;
  readonly mean: number;
}

export interface Correlation {
  /** From -1 to 1. */
  readonly coefficient: number;
  readonly statistic: number;
  /** Windows that both have. */
  readonly windows: number;
  readonly from: number;
  readonly to: number;
}

export function findCorrelation(a: readonly WindowMean[], b: readonly WindowMean[]): Correlation | null {
  const found = correlate(a, b);
  if (!found || Math.abs(found.coefficient) < MIN_CORRELATION) return null;
  return Math.abs(found.statistic) >= MIN_STATISTIC ? found : null;
}

/** Whether a correlation that was told still goes on; true as long as it cannot be told. */
export function holdsCorrelation(a: readonly WindowMean[], b: readonly WindowMean[], sign: number): boolean {
  const found = correlate(a, b);
  return found === null || sign * found.coefficient >= LEAST_CORRELATION;
}

/** Null where there are too few windows that both have. @param a in order of time, and `b` */
export function correlate(a: readonly WindowMean[], b: readonly WindowMean[]): Correlation | null {
  const others = new Map(b.map(({ start, mean }) => [start, mean]));
  const shared = a.filter(({ start }) => others.has(start));
  const count = shared.length - 1;
  if (count < MIN_CHANGES) return null;
  const changes = (means: readonly number[]) => means.slice(1).map((mean, index) => mean - means[index]!);
  const mine = changes(shared.map(({ mean }) => mean));
  const theirs = changes(shared.map(({ start }) => others.get(start)!));
  const spread = Math.min(standardDeviation(mine), standardDeviation(theirs));
  const coefficient = spread > 0 ? sampleCorrelation(mine, theirs) : 0;
  if (!Number.isFinite(coefficient)) return null;
  const unexplained = Math.max(1e-12, 1 - coefficient * coefficient);
  return {
    coefficient: Math.max(-1, Math.min(1, coefficient)),
    statistic: coefficient * Math.sqrt((count - 2) / unexplained),
    windows: shared.length,
    from: shared[0]!.start,
    to: shared.at(-1)!.start,
  };
}
