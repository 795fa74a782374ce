/**
 * Tumbling windows: figures of each series for each window, when it is over.
 *
 * @module
 */
import { quantileSorted } from "simple-statistics";
import type { Database, Statement } from "../../../src/ports/database.ts";
import type { EventData } from "../../../src/protocol/contract.ts";
import type { AkoshaContract } from "../contract.ts";
import { CORRELATION_WINDOWS, type WindowMean } from "./correlation.ts";
import { Findings } from "./findings.ts";
import type { OpenWindow, Series } from "./series.ts";

export type AggregationEvent = EventData<AkoshaContract, "aggregation.completed">;

export class Aggregations {
  readonly findings: Findings<AggregationEvent>;
  readonly #newId: () => string;
  readonly #windowMs: number;
  readonly #means: Statement;
  readonly #first: Statement;

  constructor(database: Database, parts: { kept: number; windowMs: number; newId: () => string }) {
    this.findings = new Findings(
      database,
      "aggregations",
      ["series", "metric", "started_at", "mean"],
      parts.kept,
    );
    this.#newId = parts.newId;
    this.#windowMs = parts.windowMs;
    this.#means = database.prepare(
      "SELECT started_at AS start, mean FROM aggregations WHERE series = ? ORDER BY started_at DESC LIMIT ?",
    );
    this.#first = database.prepare(
      "SELECT DISTINCT series FROM aggregations ORDER BY series LIMIT ?",
    );
  }

  /** Series that have aggregations, by number, those that are known longest. */
  firstSeries(count: number): number[] {
    return this.#first.all<{ series: number }>(count).map(({ series }) => Number(series));
  }

  /** Means of the newest windows of a series, oldest first. */
  means(number: number): WindowMean[] {
    const rows = this.#means.all<{ start: number; mean: number }>(number, CORRELATION_WINDOWS);
    return rows.reverse().map(({ start, mean }) => ({ start: Number(start), mean: Number(mean) }));
  }

  /** Note a window that is over. @param values those of it that are kept, at least one */
  complete(series: Series, { start, count, min, max, sum }: OpenWindow, values: number[]): AggregationEvent {
    const sorted = Array.from(Float64Array.from(values).sort());
    const quantile = (part: number) => sorted.length > 0 ? quantileSorted(sorted, part) : sum / count;
    const { metric, source, labels } = series;
    const mean = Math.max(min, Math.min(max, sum / count));
    const window = {
      start: new Date(start).toISOString(),
      end: new Date(start + this.#windowMs).toISOString(),
    };
    const event: AggregationEvent = {
      aggregation_id: this.#newId(),
      aggregation_type: "tumbling_window",
      record_count: count,
      summary: {
        metric,
        source,
        labels,
        window,
        count,
        min,
        max,
        mean,
        p50: quantile(0.5),
        p95: quantile(0.95),
        p99: quantile(0.99),
      },
    };
    this.findings.insert(event.aggregation_id, event, series.number, metric, start, mean);
    return event;
  }
}
