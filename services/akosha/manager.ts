/**
 * Akosha: takes observations over, by request and from other services, and tells what they mean.
 *
 * All that detectors know is in the database, written in the transaction that takes the observations over; memory only
 * saves reading it again.
 *
 * @module
 */
import { monotonicFactory } from "ulid";
import * as v from "valibot";
import type { Call } from "../../src/ports/call.ts";
import type { Cancel } from "../../src/ports/clock.ts";
import type { RequestInput, RequestName } from "../../src/protocol/contract.ts";
import { Refusal } from "../../src/protocol/errors.ts";
import { DEFAULT_LIST_LIMIT } from "../../src/protocol/fields.ts";
import type { JsonObject } from "../../src/protocol/json.ts";
import type { Manager, ManagerContext, Transaction } from "../../src/service/define-service.ts";
import { migrate } from "../../src/storage/migrations.ts";
import { readPage } from "../../src/storage/pages.ts";
import type { AkoshaContract } from "./contract.ts";
import { Aggregations } from "./domain/aggregations.ts";
import { Anomalies } from "./domain/anomalies.ts";
import { CorrelationWatch } from "./domain/correlation-watch.ts";
import type { ClientMaker } from "./domain/feed.ts";
import { Feeds } from "./domain/feeds.ts";
import type { Findings } from "./domain/findings.ts";
import { Insights } from "./domain/insights.ts";
import { type Observation, observationsOf } from "./domain/observation.ts";
import { PatternWatch } from "./domain/pattern-watch.ts";
import { Patterns } from "./domain/patterns.ts";
import { type Recorded, Recorder } from "./domain/recorder.ts";
import { SCHEMA_NAME, SCHEMA_STEPS } from "./domain/schema.ts";
import type { SeriesState } from "./domain/series.ts";
import { SeriesStore } from "./domain/series-store.ts";
import { type AkoshaSettings, akoshaSettings } from "./domain/settings.ts";

type Input<R extends RequestName<AkoshaContract>> = RequestInput<AkoshaContract, R>;
type Said = Transaction<AkoshaContract>;

/** What the manager needs besides its context. */
export interface AkoshaTools {
  /** For its feeds. */
  readonly createClient: ClientMaker;
}

/** Findings that a snapshot shows. */
const SHOWN = 50;
const MAX_SWEEP_MS = 15_000;

/**
 * Inputs are those of the contract's requests, already checked against their schemas. Every method may throw a
 * `Refusal`. A `call` is handed on to `commit`, so that the answer is remembered with the change.
 */
export class AkoshaManager implements Manager {
  readonly #context: ManagerContext<AkoshaContract>;
  readonly #settings: AkoshaSettings;
  readonly #store: SeriesStore;
  readonly #anomalies: Anomalies;
  readonly #patterns: Patterns;
  readonly #insights: Insights;
  readonly #aggregations: Aggregations;
  readonly #correlations: CorrelationWatch;
  readonly #recorder: Recorder;
  readonly #feeds: Feeds;
  #sweep: Cancel = () => {};
  /** The one under way, for what a feed takes over. */
  #transaction: Said | null = null;

  /** Brings the tables up to date. Use `open`, which also starts the feeds. */
  constructor(context: ManagerContext<AkoshaContract>, { createClient }: AkoshaTools) {
    const { database, clock, log } = context;
    migrate(database, SCHEMA_NAME, SCHEMA_STEPS);
    this.#context = context;
    const settings = this.#settings = v.parse(akoshaSettings, context.settings);
    const ulid = monotonicFactory();
    const newId = () => ulid(clock.now());
    const windowMs = settings.window_seconds * 1_000;
    const kept = settings.findings_kept;
    this.#store = new SeriesStore(database, settings);
    this.#anomalies = new Anomalies({ database, kept, threshold: settings.anomaly_threshold, newId });
    this.#patterns = new Patterns(database, kept, newId);
    this.#insights = new Insights({
      database,
      kept,
      incidentMs: settings.incident_seconds * 1_000,
      newId,
      anomalies: this.#anomalies.findings,
      patterns: this.#patterns,
    });
    this.#aggregations = new Aggregations(database, { kept: settings.aggregations_kept, windowMs, newId });
    this.#correlations = new CorrelationWatch({
      aggregations: this.#aggregations,
      patterns: this.#patterns,
      store: this.#store,
      most: settings.correlated_series,
      windowMs,
    });
    this.#recorder = new Recorder({
      store: this.#store,
      anomalies: this.#anomalies,
      watch: new PatternWatch(this.#patterns),
      correlations: this.#correlations,
      insights: this.#insights,
      aggregations: this.#aggregations,
      windowMs,
      latenessMs: settings.lateness_seconds * 1_000,
    });
    this.#feeds = new Feeds({
      settings: settings.feeds,
      database,
      createClient,
      clock,
      log,
      futureMs: settings.future_seconds * 1_000,
      record: (observations) => this.#recordEach(observations),
      transaction: (work) =>
        this.#change((transaction) => {
          this.#transaction = transaction;
          return work();
        }),
    });
  }

  /** Make the manager, start its feeds, and look from time to time which windows are over. */
  static open(context: ManagerContext<AkoshaContract>, tools: AkoshaTools): AkoshaManager {
    const manager = new AkoshaManager(context, tools);
    const { window_seconds } = manager.#settings;
    manager.#sweep = context.clock.every(
      Math.min(MAX_SWEEP_MS, window_seconds * 500),
      () => manager.#endWindows(),
    );
    manager.#feeds.start();
    return manager;
  }

  /**
   * Take observations over, all or none. Refused with INVALID_DATA where a time is none or lies in the future, or where
   * a series would be one too many.
   */
  recordObservations({ observations }: Input<"record_observations">, call?: Call): Recorded {
    const now = this.#context.clock.now();
    const checked = observationsOf(observations, now, this.#settings.future_seconds * 1_000);
    return this.#change((transaction) => this.#recorder.record(transaction, checked, now), call);
  }

  /** Newest first. */
  getPatterns({ category, limit, cursor }: Input<"get_patterns"> = {}) {
    const where: [string, string[]] = category == null ? ["", []] : ["kind = ?", [category]];
    const { rows, next_cursor } = page("patterns", this.#patterns.findings, where, { limit, cursor });
    return { category: category ?? "all", patterns: rows, count: rows.length, next_cursor };
  }

  /** Newest first. */
  getAnomalies({ metric, limit, cursor }: Input<"get_anomalies"> = {}) {
    const where = ofMetric(metric);
    const { rows, next_cursor } = page("anomalies", this.#anomalies.findings, where, { limit, cursor });
    return { anomalies: rows, count: rows.length, next_cursor };
  }

  /** Newest first. */
  getInsights({ limit, cursor }: Input<"get_insights"> = {}) {
    const { rows, next_cursor } = page("insights", this.#insights.findings, ["", []], { limit, cursor });
    const insights = rows.map(({ latest: _, ...insight }) => insight);
    return { insights, count: insights.length, next_cursor };
  }

  /** Newest first. */
  getAggregations({ metric, limit, cursor }: Input<"get_aggregations"> = {}) {
    const where = ofMetric(metric);
    const { rows, next_cursor } = page("aggregations", this.#aggregations.findings, where, { limit, cursor });
    return { aggregations: rows, count: rows.length, next_cursor };
  }

  /** Newest first. */
  listMetrics({ metric, limit, cursor }: Input<"list_metrics"> = {}) {
    const { rows, next_cursor } = readPage(
      "metrics",
      cursor,
      limit ?? DEFAULT_LIST_LIMIT,
      (before, count) => this.#store.list(metric, before, count),
    );
    const metrics = rows.map(({ metric, source, labels, state }) => {
      const { count, last_value, last_at, out_of_order, late } = JSON.parse(state) as SeriesState;
      return {
        metric,
        source,
        labels: JSON.parse(labels) as Record<string, string>,
        count,
        last_value,
        last_at: new Date(last_at).toISOString(),
        out_of_order,
        late,
      };
    });
    return { metrics, count: metrics.length, next_cursor };
  }

  /** Figures of the service; with an id, the state of that finding. */
  getStatus(data: JsonObject): JsonObject {
    const asked = [
      ["anomaly_id", this.#anomalies.findings],
      ["pattern_id", this.#patterns.findings],
      ["insight_id", this.#insights.findings],
      ["aggregation_id", this.#aggregations.findings],
    ] as const;
    for (const [name, findings] of asked) {
      const id = data[name];
      if (typeof id !== "string") continue;
      const found = findings.find(id);
      return found
        ? { status: "found", ...found } as unknown as JsonObject
        : { [name]: id, status: "not_found" };
    }
    return { series: this.#store.size, feeds: this.#feeds.status() };
  }

  /** What was found last behind a channel. */
  snapshot(kind: string, id: string | null): JsonObject | null {
    const limit = SHOWN;
    const shown = kind === "patterns"
      ? { patterns: page("patterns", this.#patterns.findings, ["kind = ?", [id ?? ""]], { limit }).rows }
      : kind === "anomalies"
      ? { anomalies: this.getAnomalies({ limit }).anomalies }
      : kind === "insights"
      ? { insights: this.getInsights({ limit }).insights }
      : kind === "metrics"
      ? { aggregations: this.getAggregations({ limit }).aggregations }
      : null;
    return shown as unknown as JsonObject | null;
  }

  /** End the feeds. All else is in the database already. */
  stop(): void {
    this.#sweep();
    this.#feeds.stop();
  }

  /** Change what is known in one transaction; where it fails, memory is as it was. */
  #change<T>(work: (transaction: Said) => T, call?: Call): T {
    try {
      const result = this.#context.commit((transaction) => {
        const result = work(transaction);
        this.#store.save();
        return result;
      }, call);
      this.#store.keep();
      return result;
    } catch (error) {
      this.#store.forget();
      this.#correlations.forget();
      throw error;
    } finally {
      this.#transaction = null;
    }
  }

  /** Take over each of them for which there is room. */
  #recordEach(observations: readonly Observation[]): { recorded: number; late: number; refused: number } {
    const result = { recorded: 0, late: 0, refused: 0 };
    for (const observation of observations) {
      try {
        const { recorded, late } = this.#recorder.record(
          this.#transaction!,
          [observation],
          this.#context.clock.now(),
        );
        result.recorded += recorded;
        result.late += late;
      } catch (error) {
        // There is no room for its series, which is found out before anything is written.
        if (!(error instanceof Refusal)) throw error;
        result.refused++;
      }
    }
    return result;
  }

  #endWindows(): void {
    const now = this.#context.clock.now();
    try {
      if (this.#recorder.hasEndedWindows(now)) {
        this.#change((transaction) => this.#recorder.endWindows(transaction, now));
      }
    } catch (error) {
      this.#context.log.error("Windows could not be ended; they are looked at again", { error });
    }
  }
}

interface Wish {
  readonly limit?: number | null | undefined;
  readonly cursor?: string | null | undefined;
}

function page<T extends object>(
  list: string,
  findings: Findings<T>,
  [where, values]: [string, string[]],
  { limit, cursor }: Wish,
): { rows: T[]; next_cursor: string | null } {
  const found = readPage(
    list,
    cursor,
    limit ?? DEFAULT_LIST_LIMIT,
    (before, count) => findings.list(where, values, before, count),
  );
  return { rows: found.rows.map(({ content }) => content), next_cursor: found.next_cursor };
}

function ofMetric(metric: string | null | undefined): [string, string[]] {
  return metric == null ? ["", []] : ["metric = ?", [metric]];
}
