/**
 * Takes observations over: judged, remembered, counted into their windows, and looked at for patterns. All of it is
 * part of the transaction that it is called in.
 *
 * @module
 */
import type { Transaction } from "../../../src/service/define-service.ts";
import type { AkoshaContract } from "../contract.ts";
import type { Aggregations } from "./aggregations.ts";
import type { Anomalies } from "./anomalies.ts";
import type { CorrelationWatch } from "./correlation-watch.ts";
import type { Insights } from "./insights.ts";
import type { Observation } from "./observation.ts";
import type { PatternWatch } from "./pattern-watch.ts";
import type { PatternEvent } from "./patterns.ts";
import { fill, remember, type Series } from "./series.ts";
import type { SeriesStore } from "./series-store.ts";

type Said = Transaction<AkoshaContract>;

export interface RecorderParts {
  readonly store: SeriesStore;
  readonly anomalies: Anomalies;
  readonly watch: PatternWatch;
  readonly correlations: CorrelationWatch;
  readonly insights: Insights;
  readonly aggregations: Aggregations;
  readonly windowMs: number;
  readonly latenessMs: number;
}

/** What became of a batch. */
export interface Recorded {
  recorded: number;
  out_of_order: number;
  late: number;
  readonly anomalies: string[];
  readonly patterns: string[];
}

export class Recorder {
  readonly #parts: RecorderParts;

  constructor(parts: RecorderParts) {
    this.#parts = parts;
  }

  /** @throws {Refusal} where an observation would be of one series too many */
  record(transaction: Said, observations: readonly Observation[], now: number): Recorded {
    const result: Recorded = { recorded: 0, out_of_order: 0, late: 0, anomalies: [], patterns: [] };
    for (const observation of observations) this.#take(transaction, observation, now, result);
    return result;
  }

  /** Whether windows are over of series of which nothing was heard for as long as a late observation may take. */
  hasEndedWindows(now: number): boolean {
    return this.#parts.store.withOpenWindows().some((series) => this.#isOver(series, now));
  }

  /** End them. */
  endWindows(transaction: Said, now: number): void {
    const { store, windowMs, latenessMs } = this.#parts;
    for (const series of store.withOpenWindows()) {
      if (!this.#isOver(series, now)) continue;
      store.touch(series);
      this.#endWindows(transaction, series, ({ start }) => start + windowMs + latenessMs <= now);
    }
  }

  #isOver({ state: { heard_at, windows } }: Series, now: number): boolean {
    const { windowMs, latenessMs } = this.#parts;
    return now - heard_at >= latenessMs && windows[0]!.start + windowMs + latenessMs <= now;
  }

  #take(transaction: Said, observation: Observation, now: number, result: Recorded): void {
    const { store, anomalies, watch, insights, windowMs, latenessMs } = this.#parts;
    const { at, value } = observation;
    const series = store.open(observation, now);
    const { state } = series;
    state.heard_at = now;
    if (at < Math.max(state.last_at - latenessMs, state.over_until)) {
      state.late++;
      result.late++;
      return;
    }
    const isNewest = at >= state.last_at;
    if (!isNewest) {
      state.out_of_order++;
      result.out_of_order++;
    }
    const anomaly = anomalies.look(series, at, value);
    state.count++;
    if (isNewest) {
      state.last_at = at;
      state.last_value = value;
    }
    store.addObservation(series, at, value);
    remember(series, at, value);
    fill(state, at, value, windowMs);
    result.recorded++;
    if (anomaly) {
      transaction.emit("anomaly.detected", anomaly);
      result.anomalies.push(anomaly.anomaly_id);
      for (const insight of insights.ofAnomaly(series, anomaly, at)) {
        transaction.emit("insight.generated", insight);
      }
    }
    for (const pattern of watch.look(series, isNewest)) {
      if (pattern.pattern_type === "change_point") anomalies.end(series, at);
      this.#tell(transaction, series, pattern, at);
      result.patterns.push(pattern.pattern_id);
    }
    const last = state.last_at;
    const found = this.#endWindows(
      transaction,
      series,
      ({ start }) => start + windowMs + latenessMs <= last,
    );
    result.patterns.push(...found);
  }

  #endWindows(transaction: Said, series: Series, isOver: (window: { start: number }) => boolean): string[] {
    const { store, aggregations, correlations, windowMs } = this.#parts;
    const over = series.state.windows.filter(isOver);
    if (over.length === 0) return [];
    series.state.windows = series.state.windows.filter((window) => !isOver(window));
    for (const window of over) {
      series.state.over_until = Math.max(series.state.over_until, window.start + windowMs);
      const values = store.valuesBetween(series, window.start, window.start + windowMs);
      transaction.emit("aggregation.completed", aggregations.complete(series, window, values));
    }
    const patterns = correlations.look(series);
    for (const pattern of patterns) this.#tell(transaction, series, pattern, series.state.last_at);
    return patterns.map(({ pattern_id }) => pattern_id);
  }

  #tell(transaction: Said, series: Series, pattern: PatternEvent, at: number): void {
    transaction.emit("pattern.detected", pattern);
    for (const insight of this.#parts.insights.ofPattern(series, pattern, at)) {
      transaction.emit("insight.generated", insight);
    }
  }
}
