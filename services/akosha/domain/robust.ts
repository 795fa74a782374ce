/**
 * Where most values of a sample lie and how far they spread, whatever a few of them do.
 *
 * @module
 */
import { medianSorted, quantileSorted, standardDeviation } from "simple-statistics";

export interface Spread {
  readonly center: number;
  /** As a standard deviation; 0 where nearly all values are the same. */
  readonly scale: number;
}

/** The median absolute deviation of normal noise is this part of its standard deviation. */
const MAD_OF_NORMAL = 0.674_489_75;
/** Nine of ten deviations of normal noise are below so many of its standard deviations. */
const NINTH_TENTH_OF_NORMAL = 1.644_853_6;
/** Fewer values do not show how rare the rare ones are. */
const FEW = 32;
/** What is left of the standard deviation of normal noise without what lies beyond three of them. */
const TRIMMED_OF_NORMAL = 0.986_6;

/**
 * Median, and the standard deviation of what lies within three robust deviations of it: nearly as sharp as the plain
 * one where there are no outliers, and not moved by them. Where more than half of the values are equal, what one of ten
 * deviations passes counts: so it is 0 where hardly any value differs. Few values that are equal may be so by chance;
 * then the plain one counts.
 *
 * @param values at least one, all finite
 */
export function spreadOf(values: readonly number[]): Spread {
  const center = medianSorted(sorted(values));
  const deviations = values.map((value) => Math.abs(value - center));
  const mad = medianSorted(sorted(deviations)) / MAD_OF_NORMAL;
  if (mad <= 1e-9 * Math.abs(center)) {
    const scale = quantileSorted(sorted(deviations), 0.9) / NINTH_TENTH_OF_NORMAL;
    return { center, scale: values.length < FEW ? Math.max(scale, standardDeviation([...values])) : scale };
  }
  const kept = values.filter((_, index) => deviations[index]! <= 3 * mad);
  return { center, scale: standardDeviation(kept) / TRIMMED_OF_NORMAL };
}

/** Values in deviations from the center, those beyond `most` deviations cut; all 0 where nothing varies. */
export function standardized(values: readonly number[], most: number): number[] {
  const { center, scale } = spreadOf(values);
  const dust = 1e-12 * Math.abs(center);
  const used = scale > dust ? scale : standardDeviation([...values]);
  if (used <= dust) return values.map(() => 0);
  return values.map((value) => Math.max(-most, Math.min(most, (value - center) / used)));
}

/** Correlation of each value with the one before; 0 where nothing varies. */
export function lagOne(residuals: readonly number[]): number {
  let products = 0;
  let squares = 0;
  for (const [index, residual] of residuals.entries()) {
    squares += residual * residual;
    if (index > 0) products += residual * residuals[index - 1]!;
  }
  return squares === 0 ? 0 : products / squares;
}

/** What a statistic of values is worth where each takes after the one before: fewer of them are on their own. */
export function independent(lagOne: number): number {
  const taken = Math.max(0, lagOne);
  return Math.sqrt((1 - taken) / (1 + taken));
}

/** Residuals that follow each other are no noise: then the model that left them explains nothing. */
export const MOST_LAG_ONE = 0.5;

function sorted(values: readonly number[]): number[] {
  return Array.from(Float64Array.from(values).sort());
}
