/**
 * Looks at a series after a value was remembered: which patterns begin, and which are over.
 *
 * @module
 */
import { findBurst, holdsBurst } from "./burst.ts";
import { CHANGE_WINDOW, findChangePoint } from "./change-point.ts";
import { shown, titleOf } from "./observation.ts";
import type { PatternEvent, Patterns } from "./patterns.ts";
import { evenStep, findPeriod, holdsPeriod, PERIOD_WINDOW } from "./period.ts";
import { presentLevel, type Series } from "./series.ts";
import { findTrend, holdsTrend, TREND_WINDOW } from "./trend.ts";

/** Observations between two looks for what does not depend on the newest one alone. */
const LOOK_EVERY = 4;

export class PatternWatch {
  readonly #patterns: Patterns;

  constructor(patterns: Patterns) {
    this.#patterns = patterns;
  }

  /** Patterns that begin now. @param isNewest whether the last value remembered is the newest by time */
  look(series: Series, isNewest: boolean): PatternEvent[] {
    const found = isNewest ? [this.#burst(series)] : [];
    if (series.state.count % LOOK_EVERY === 0) {
      found.push(this.#period(series), this.#changePoint(series), this.#trend(series));
    }
    return found.filter((event) => event !== null);
  }

  #burst(series: Series): PatternEvent | null {
    const { state, times } = series;
    const now = times.at(-1)!;
    if (state.burst_gap_ms !== null) {
      if (holdsBurst(times, state.burst_gap_ms)) return null;
      state.burst_gap_ms = null;
      const active = this.#patterns.active("burst", series);
      if (active) this.#patterns.end(active, now);
      return null;
    }
    const burst = findBurst(times);
    if (!burst) return null;
    state.burst_gap_ms = burst.usualGapMs;
    return this.#patterns.begin("burst", [series], {
      description: `${burst.observations} observations of ${titleOf(series)} came in ` +
        `${shown((burst.to - burst.from) / 1_000)} s, usually one in ${shown(burst.usualGapMs / 1_000)} s`,
      confidence: burst.confidence,
      start: burst.from,
      end: burst.to,
      evidence: {
        observations: burst.observations,
        expected: burst.expected,
        usual_gap_seconds: burst.usualGapMs / 1_000,
        likelihood: burst.likelihood,
      },
    }, true);
  }

  #period(series: Series): PatternEvent | null {
    const { times, values } = presentLevel(series, PERIOD_WINDOW);
    const active = this.#patterns.active("period", series);
    if (active) {
      if (!holdsPeriod(values, Number(active.evidence.observations_per_period))) {
        this.#patterns.end(active, times.at(-1)!);
      }
      return null;
    }
    const step = evenStep(times);
    const period = step === null ? null : findPeriod(values);
    if (!period || step === null) return null;
    const seconds = period.length * step / 1_000;
    return this.#patterns.begin("period", [series], {
      description: `${titleOf(series)} repeats every ${period.length} observations (${shown(seconds)} s)`,
      confidence: period.correlation,
      start: times[0]!,
      end: times.at(-1)!,
      evidence: {
        observations_per_period: period.length,
        period_seconds: seconds,
        correlation: period.correlation,
        observations: values.length,
      },
    }, true);
  }

  #changePoint(series: Series): PatternEvent | null {
    // What goes up and down by itself changes no level.
    if (this.#patterns.active("period", series)) return null;
    const { times, values } = presentLevel(series, CHANGE_WINDOW);
    const change = findChangePoint(values);
    if (!change) return null;
    const at = times[change.index]!;
    series.state.since = at;
    return this.#patterns.begin("change_point", [series], {
      description: `${titleOf(series)} has changed from about ${shown(change.before)} to about ` +
        `${shown(change.after)}`,
      confidence: change.confidence,
      start: times[0]!,
      end: times.at(-1)!,
      evidence: {
        changed_at: new Date(at).toISOString(),
        before: change.before,
        after: change.after,
        statistic: change.statistic,
        observations: values.length,
      },
    }, false);
  }

  #trend(series: Series): PatternEvent | null {
    const { times, values } = presentLevel(series, TREND_WINDOW);
    const active = this.#patterns.active("trend", series);
    if (active) {
      const direction = active.evidence.direction === "increasing" ? "increasing" : "decreasing";
      if (!holdsTrend(values, direction)) this.#patterns.end(active, times.at(-1)!);
      return null;
    }
    if (this.#patterns.active("period", series)) return null;
    const trend = findTrend(values);
    if (!trend) return null;
    const verb = trend.direction === "increasing" ? "rises" : "falls";
    return this.#patterns.begin("trend", [series], {
      description: `${titleOf(series)} ${verb} steadily, from about ${shown(trend.from)} to about ` +
        `${shown(trend.to)} in ${values.length} observations`,
      confidence: trend.confidence,
      start: times[0]!,
      end: times.at(-1)!,
      evidence: {
        direction: trend.direction,
        slope_per_observation: trend.slope,
        from: trend.from,
        to: trend.to,
        statistic: trend.statistic,
        explained: trend.explained,
        observations: values.length,
      },
    }, true);
  }
}
