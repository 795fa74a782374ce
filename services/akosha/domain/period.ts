/**
 * Does a series repeat itself? The first clear peak of its autocorrelation.
 *
 * @module
 */
import { lineResiduals } from "./change-point.ts";
import { spreadOf, standardized } from "./robust.ts";

export const PERIOD_WINDOW = 256;
const MIN_VALUES = 32;
/** Times that it must have repeated. */
const MIN_CYCLES = 4;
const MIN_CORRELATION = 0.4;
/** Correlation times the root of the number of values. */
const MIN_STATISTIC = 5.5;
/** How much deeper the valley before the peak is. */
const MIN_DIP = 0.4;
/** Below it a period that was told is over. */
const LEAST_CORRELATION = 0.2;

export interface Period {
  /** In values. */
  readonly length: number;
  readonly correlation: number;
}

export function findPeriod(values: readonly number[]): Period | null {
  const count = values.length;
  if (count < MIN_VALUES) return null;
  const scores = lineResiduals(standardized(values, 4));
  const longest = Math.floor(count / MIN_CYCLES);
  const correlations = autocorrelations(scores, Math.min(count - 2, 3 * longest + 2));
  if (correlations === null) return null;
  const least = Math.max(MIN_CORRELATION, MIN_STATISTIC / Math.sqrt(count));
  const peaks: Period[] = [];
  let valley = 1;
  for (let length = 2; length <= longest; length++) {
    valley = Math.min(valley, correlations[length - 1]!);
    const correlation = correlations[length]!;
    const isPeak = correlation >= correlations[length - 1]! && correlation >= correlations[length + 1]!;
    if (!isPeak || correlation < least || correlation - valley < MIN_DIP) continue;
    if (correlations[2 * length]! >= correlation / 2) peaks.push({ length, correlation });
  }
  const highest = Math.max(...peaks.map(({ correlation }) => correlation));
  // Multiples of a period repeat too: the shortest of the high ones it is.
  const first = peaks.find(({ correlation }) => correlation >= 0.6 * highest);
  return first ? sharpened(undivided(first, correlations), correlations) : null;
}

/** Where a part of the period shows nearly as well, it is the period; noise has kept it from being a clear peak. */
function undivided({ length, correlation }: Period, correlations: readonly number[]): Period {
  for (let parts = Math.floor(length / 2); parts >= 2; parts--) {
    const middle = Math.round(length / parts);
    for (const part of [middle, middle - 1, middle + 1]) {
      const found = correlations[part]!;
      const isPeak = found >= correlations[part - 1]! && found >= correlations[part + 1]!;
      if (part >= 2 && isPeak && found >= 0.6 * correlation) return { length: part, correlation: found };
    }
  }
  return { length, correlation };
}

/** Noise moves a peak by one: where it repeats, it shows more exactly. */
function sharpened({ length }: Period, correlations: readonly number[]): Period {
  let repeats = 1;
  while (repeats < 4 && (repeats + 1) * length + repeats + 1 < correlations.length) repeats++;
  // The peak at the last of its multiples, for which so many neighbours are looked at.
  let last = length;
  for (let multiple = 2; multiple <= repeats; multiple++) {
    const middle = Math.round(last * multiple / (multiple - 1));
    let best = middle;
    for (const lag of [middle - 1, middle + 1]) if (correlations[lag]! > correlations[best]!) best = lag;
    last = best;
  }
  const exact = Math.max(2, Math.round(last / repeats));
  return { length: exact, correlation: Math.min(1, Math.max(correlations[exact]!, correlations[length]!)) };
}

/** Whether a period that was told still goes on. */
export function holdsPeriod(values: readonly number[], length: number): boolean {
  if (values.length < Math.max(MIN_VALUES, 2 * length)) return true;
  const correlations = autocorrelations(lineResiduals(standardized(values, 4)), length + 1);
  if (correlations === null) return false;
  return Math.max(...correlations.slice(length - 1, length + 2)) >= LEAST_CORRELATION;
}

/** Whether times are even enough for a period in values to be one in time; the usual step in milliseconds, or null. */
export function evenStep(times: readonly number[]): number | null {
  if (times.length < 2) return null;
  const steps = times.slice(1).map((time, index) => time - times[index]!);
  const { center } = spreadOf(steps);
  const uneven = steps.filter((step) => Math.abs(step - center) > 0.25 * center).length;
  return center > 0 && uneven <= 0.1 * steps.length ? center : null;
}

/** By lag, from 0 to `most`; null where nothing varies. */
function autocorrelations(scores: readonly number[], most: number): number[] | null {
  const count = scores.length;
  const squares = scores.reduce((sum, score) => sum + score * score, 0);
  if (squares <= 1e-9) return null;
  return Array.from({ length: most + 1 }, (_, lag) => {
    let sum = 0;
    for (let index = lag; index < count; index++) sum += scores[index]! * scores[index - lag]!;
    // Of as many products as there are, so that long lags are not made small by what they lack.
    return sum / squares * (count / (count - lag));
  });
}
