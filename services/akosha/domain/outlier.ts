/**
 * Is a value far from what its metric usually is? A robust z-score.
 *
 * @module
 */
import { spreadOf } from "./robust.ts";

/** Values that must be known before one can stand out, unless what is expected is said. */
export const MIN_BASELINE = 12;

/** Larger scores say no more. */
const MAX_SCORE = 1_000;

export const SEVERITIES = ["low", "medium", "high", "critical"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What is known of a metric before its first value. */
export interface Prior {
  /** Expected as long as there are too few values. */
  readonly expected: number | null;
  /** Deviations smaller than this are not told from each other: the least scale of the metric. */
  readonly scale: number | null;
}

export const NO_PRIOR: Prior = { expected: null, scale: null };

export interface Judgement {
  readonly expected: number;
  readonly scale: number;
  /** In scales; between -1000 and 1000. */
  readonly z: number;
  /** Score from which a value stands out; somewhat higher where few values are known. */
  readonly threshold: number;
  readonly isOutlier: boolean;
}

/** Null where too little is known. @param baseline earlier values */
export function judge(
  value: number,
  baseline: readonly number[],
  threshold: number,
  prior: Prior = NO_PRIOR,
): Judgement | null {
  const count = baseline.length;
  if (count < MIN_BASELINE) {
    if (prior.expected === null) return null;
    return scored(value, prior.expected, prior.scale ?? Math.abs(prior.expected) * 0.01, threshold);
  }
  const { center, scale } = spreadOf(baseline);
  // Dust of floating point is no spread.
  const least = Math.max(prior.scale ?? 0, Math.abs(center) * (scale > 1e-9 * Math.abs(center) ? 0 : 0.01));
  return scored(value, center, Math.max(scale, least), threshold * (1 + 3 / count));
}

function scored(value: number, expected: number, scale: number, threshold: number): Judgement {
  const deviation = value - expected;
  // Where all values were 0, any other is as far as any: ten scales.
  const used = scale > 0 ? scale : Math.abs(deviation) / 10;
  const z = deviation === 0 ? 0 : Math.max(-MAX_SCORE, Math.min(MAX_SCORE, deviation / used));
  return { expected, scale: used, z, threshold, isOutlier: Math.abs(z) >= threshold };
}

/** By how many times the score passes its threshold: 1.5, 2.5 and 5 are where the next severity begins. */
export function severityOf({ z, threshold }: Pick<Judgement, "z" | "threshold">): Severity {
  const times = Math.abs(z) / threshold;
  return times < 1.5 ? "low" : times < 2.5 ? "medium" : times < 5 ? "high" : "critical";
}
