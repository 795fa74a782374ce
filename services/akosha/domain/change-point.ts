/**
 * Has the level of a series changed for good? Two levels are fitted to it, at the split that explains most.
 *
 * @module
 */
import { linearRegression, mean } from "simple-statistics";
import { independent, lagOne, MOST_LAG_ONE, standardized } from "./robust.ts";

export const CHANGE_WINDOW = 128;
/** Values that each level needs. */
export const MIN_SEGMENT = 12;
/** The t statistic of the best split, from which a change is told: noise comes here about once in a million splits. */
const MIN_STATISTIC = 6.5;

export interface ChangePoint {
  /** Index of the first value of the new level. */
  readonly index: number;
  readonly before: number;
  readonly after: number;
  readonly statistic: number;
  readonly confidence: number;
}

/** @param values in order of time; the last {@link CHANGE_WINDOW} of them are looked at by the caller's choice */
export function findChangePoint(values: readonly number[]): ChangePoint | null {
  if (values.length < 2 * MIN_SEGMENT) return null;
  const scores = standardized(values, 5);
  const split = bestSplit(scores);
  if (split === null || split.error >= lineError(scores) || split.lagOne >= MOST_LAG_ONE) return null;
  // Where the split would rather lie closer to the end, it is too early to tell.
  if (split.index === scores.length - MIN_SEGMENT || !lasts(scores, split.index)) return null;
  const statistic = split.statistic * independent(split.lagOne);
  if (statistic < MIN_STATISTIC) return null;
  return {
    index: split.index,
    before: mean(values.slice(0, split.index)),
    after: mean(values.slice(split.index)),
    statistic,
    confidence: confidenceOf(statistic, MIN_STATISTIC),
  };
}

/** Whether the newest values are still at the new level: an excursion that is over is none. */
function lasts(scores: readonly number[], index: number): boolean {
  const before = mean(scores.slice(0, index));
  const after = mean(scores.slice(index));
  const newest = mean(scores.slice(-MIN_SEGMENT / 2));
  return (newest - before) / (after - before) >= 0.5;
}

export interface Split {
  readonly index: number;
  readonly statistic: number;
  /** Sum of squares that two levels leave. */
  readonly error: number;
  readonly lagOne: number;
}

/** The split into two levels that leaves the least; null where nothing varies. */
export function bestSplit(scores: readonly number[], segment = MIN_SEGMENT): Split | null {
  const count = scores.length;
  const total = scores.reduce((sum, score) => sum + score, 0);
  const squares = scores.reduce((sum, score) => sum + score * score, 0);
  const spread = squares - total * total / count;
  if (spread <= 1e-12) return null;
  let left = 0;
  let best = { index: 0, explained: -1 };
  for (let index = 1; index <= count - segment; index++) {
    left += scores[index - 1]!;
    if (index < segment) continue;
    const difference = left / index - (total - left) / (count - index);
    const explained = difference * difference * index * (count - index) / count;
    if (explained > best.explained) best = { index, explained };
  }
  if (best.explained < 0) return null;
  const error = Math.max(spread - best.explained, 1e-9 * spread);
  const levels = [mean(scores.slice(0, best.index)), mean(scores.slice(best.index))] as const;
  const residuals = scores.map((score, index) => score - levels[index < best.index ? 0 : 1]);
  const isExact = error <= 1e-9 * spread;
  return {
    index: best.index,
    statistic: Math.sqrt(best.explained / (error / (count - 2))),
    error,
    lagOne: isExact ? 0 : lagOne(residuals),
  };
}

/** Sum of squares that a straight line leaves. */
export function lineError(scores: readonly number[]): number {
  return lineResiduals(scores).reduce((sum, residual) => sum + residual * residual, 0);
}

export function lineResiduals(scores: readonly number[]): number[] {
  const { m, b } = linearRegression(scores.map((score, index) => [index, score]));
  return scores.map((score, index) => score - (m * index + b));
}

/** One half where the statistic just suffices, nearing 1 as it grows. */
export function confidenceOf(statistic: number, least: number): number {
  return Math.min(1, 1 - 0.5 * least / statistic);
}
