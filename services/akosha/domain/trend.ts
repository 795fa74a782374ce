/**
 * Does a series rise or fall steadily? A Mann-Kendall test, held against what a change of level would explain.
 *
 * @module
 */
import { linearRegression } from "simple-statistics";
import { bestSplit, confidenceOf, lineResiduals } from "./change-point.ts";
import { independent, lagOne, MOST_LAG_ONE, standardized } from "./robust.ts";

export const TREND_WINDOW = 48;
const MIN_VALUES = 24;
/** Mann-Kendall's Z, from which a trend is told. */
const MIN_STATISTIC = 5;
/** Below it a trend that was told is over. */
const LEAST_STATISTIC = 2;
const MIN_EXPLAINED = 0.5;

export interface Trend {
  readonly direction: "increasing" | "decreasing";
  /** Per value. */
  readonly slope: number;
  readonly from: number;
  readonly to: number;
  readonly statistic: number;
  /** Part of the variance that the line explains. */
  readonly explained: number;
  readonly confidence: number;
}

export function findTrend(values: readonly number[]): Trend | null {
  if (values.length < MIN_VALUES) return null;
  const scores = standardized(values, 5);
  const plain = mannKendall(scores);
  if (Math.abs(plain) < MIN_STATISTIC) return null;
  const residuals = lineResiduals(scores);
  const error = residuals.reduce((sum, residual) => sum + residual * residual, 0);
  const average = scores.reduce((sum, score) => sum + score, 0) / scores.length;
  const spread = scores.reduce((sum, score) => sum + (score - average) ** 2, 0);
  const explained = 1 - error / spread;
  if (explained < MIN_EXPLAINED) return null;
  // What a straight line leaves of itself is dust.
  const following = explained < 1 - 1e-9 ? lagOne(residuals) : 0;
  const statistic = plain * independent(following);
  if (following >= MOST_LAG_ONE || Math.abs(statistic) < MIN_STATISTIC) return null;
  const split = bestSplit(scores, 8);
  if (split !== null && split.error <= error) return null;
  const { m, b } = linearRegression(values.map((value, index) => [index, value]));
  return {
    direction: statistic > 0 ? "increasing" : "decreasing",
    slope: m,
    from: b,
    to: b + m * (values.length - 1),
    statistic,
    explained,
    confidence: confidenceOf(Math.abs(statistic), MIN_STATISTIC),
  };
}

/** Whether a trend that was told still goes on. */
export function holdsTrend(values: readonly number[], direction: Trend["direction"]): boolean {
  if (values.length < MIN_VALUES) return true;
  const statistic = mannKendall(values);
  return (direction === "increasing" ? statistic : -statistic) >= LEAST_STATISTIC;
}

/** Mann-Kendall's Z: pairs that rise less pairs that fall, in its own deviations. Ties count as neither. */
export function mannKendall(values: readonly number[]): number {
  const count = values.length;
  let sum = 0;
  let ties = 0;
  for (let i = 0; i < count; i++) {
    const value = values[i]!;
    for (let j = i + 1; j < count; j++) {
      const sign = Math.sign(values[j]! - value);
      sum += sign;
      if (sign === 0) ties++;
    }
  }
  const pairs = count * (count - 1) / 2;
  // Ties take pairs out of play; the exact correction for groups differs little.
  const variance = count * (count - 1) * (2 * count + 5) / 18 * (pairs === 0 ? 0 : 1 - ties / pairs);
  if (sum === 0 || variance <= 0) return 0;
  return (sum - Math.sign(sum)) / Math.sqrt(variance);
}
