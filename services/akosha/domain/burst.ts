/**
 * Do observations come much faster than they did? Their last gaps against those before.
 *
 * @module
 */
import { poissonTail } from "./poisson.ts";

/** Gaps that make a burst. */
export const BURST_GAPS = 8;
const MIN_BASELINE_GAPS = 24;
/** How likely so many observations in so short a time may be, were they coming at their usual rate. */
const MAX_LIKELIHOOD = 1e-6;
/** Nor may the time before have had anything half as dense. */
const DENSER = 0.5;

export interface Burst {
  /** Time of the first observation of the burst. */
  readonly from: number;
  readonly to: number;
  readonly observations: number;
  /** How many would have come at the usual rate. */
  readonly expected: number;
  /** The usual gap, in milliseconds. */
  readonly usualGapMs: number;
  readonly likelihood: number;
  readonly confidence: number;
}

/** @param times of observations, in order; several at one moment count as one */
export function findBurst(times: readonly number[]): Burst | null {
  const moments = distinct(times);
  const first = moments.length - 1 - BURST_GAPS;
  if (first < MIN_BASELINE_GAPS) return null;
  const usualGapMs = (moments[first]! - moments[0]!) / first;
  const span = moments.at(-1)! - moments[first]!;
  const expected = span / usualGapMs;
  const likelihood = poissonTail(BURST_GAPS, expected);
  if (likelihood > MAX_LIKELIHOOD) return null;
  for (let start = 0; start + BURST_GAPS <= first; start++) {
    if (span > DENSER * (moments[start + BURST_GAPS]! - moments[start]!)) return null;
  }
  return {
    from: moments[first]!,
    to: moments.at(-1)!,
    observations: BURST_GAPS + 1,
    expected,
    usualGapMs,
    likelihood,
    confidence: Math.min(1, 1 - likelihood / MAX_LIKELIHOOD / 2),
  };
}

/** Whether a burst that was told still goes on: observations come more than twice as fast as usual. */
export function holdsBurst(times: readonly number[], usualGapMs: number): boolean {
  const moments = distinct(times);
  if (moments.length <= BURST_GAPS) return true;
  return moments.at(-1)! - moments.at(-1 - BURST_GAPS)! < 0.5 * BURST_GAPS * usualGapMs;
}

function distinct(times: readonly number[]): number[] {
  return times.filter((time, index) => time !== times[index - 1]);
}
