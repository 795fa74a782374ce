/**
 * Series in the database, and in memory those that were used. What a failed commit has touched is forgotten and read
 * again.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { keyOf, type Observation } from "./observation.ts";
import { newState, type Series, type SeriesState, WINDOW } from "./series.ts";

export interface SeriesBounds {
  readonly series: number;
  readonly series_per_metric: number;
  readonly series_idle_seconds: number;
  readonly observations_per_series: number;
}

interface SeriesRow {
  readonly number: number;
  readonly key: string;
  readonly metric: string;
  readonly source: string;
  readonly labels: string;
  readonly state: string;
}

/** Observations between two looks at how many a series has. */
const PRUNE_EVERY = 64;
/** Whoever asks for one series too many, again and again, does not make us look through all of them each time. */
const LOOK_EVERY_MS = 10_000;

export class SeriesStore {
  readonly #bounds: SeriesBounds;
  readonly #cache = new Map<string, Series>();
  readonly #touched = new Map<string, Series>();
  /** When series were last looked through for idle ones. */
  #looked = -Infinity;
  readonly #byKey: Statement;
  readonly #byNumber: Statement;
  readonly #all: Statement;
  readonly #count: Statement;
  readonly #countOfMetric: Statement;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #delete: Statement;
  readonly #recent: Statement;
  readonly #insertObservation: Statement;
  readonly #prune: Statement;
  readonly #between: Statement;
  readonly #list: Statement;
  readonly #listOfMetric: Statement;

  constructor(database: Database, bounds: SeriesBounds) {
    this.#bounds = bounds;
    this.#byKey = database.prepare("SELECT * FROM series WHERE key = ?");
    this.#byNumber = database.prepare("SELECT * FROM series WHERE number = ?");
    this.#all = database.prepare("SELECT * FROM series");
    this.#count = database.prepare("SELECT count(*) AS count FROM series");
    this.#countOfMetric = database.prepare("SELECT count(*) AS count FROM series WHERE metric = ?");
    this.#insert = database.prepare(
      "INSERT INTO series (key, metric, source, labels, state) VALUES (?, ?, ?, ?, '{}')",
    );
    this.#update = database.prepare("UPDATE series SET state = ? WHERE number = ?");
    this.#delete = database.prepare("DELETE FROM series WHERE number = ?");
    this.#recent = database.prepare(
      "SELECT at, value FROM observations WHERE series = ? ORDER BY at DESC, number DESC LIMIT ?",
    );
    this.#insertObservation = database.prepare(
      "INSERT INTO observations (series, at, value) VALUES (?, ?, ?)",
    );
    this.#prune = database.prepare(
      "DELETE FROM observations WHERE number IN (SELECT number FROM observations WHERE series = ? " +
        "ORDER BY at DESC, number DESC LIMIT -1 OFFSET ?)",
    );
    this.#between = database.prepare(
      "SELECT value FROM observations WHERE series = ? AND at >= ? AND at < ?",
    );
    this.#list = database.prepare("SELECT * FROM series WHERE number < ? ORDER BY number DESC LIMIT ?");
    this.#listOfMetric = database.prepare(
      "SELECT * FROM series WHERE number < ? AND metric = ? ORDER BY number DESC LIMIT ?",
    );
  }

  get size(): number {
    return Number(this.#count.get<{ count: number }>()!.count);
  }

  /**
   * The series of an observation, made where it is new. What the caller changes in it is written by `save`.
   *
   * @throws {Refusal} INVALID_DATA where there are too many series already
   */
  open({ key, series: { metric, source, labels }, prior }: Observation, now: number): Series {
    const known = this.#touched.get(key) ?? this.#cached(key);
    if (known) {
      this.#touched.set(key, known);
      if (prior.expected !== null || prior.scale !== null) {
        known.state.prior = {
          expected: prior.expected ?? known.state.prior.expected,
          scale: prior.scale ?? known.state.prior.scale,
        };
      }
      return known;
    }
    this.#expectRoom(metric, now);
    this.#insert.run(key, metric, source, JSON.stringify(labels));
    const { number } = this.#byKey.get<SeriesRow>(key)!;
    const state = newState(prior);
    const series = { number: Number(number), metric, source, labels, state, times: [], values: [] };
    this.#touched.set(key, series);
    return series;
  }

  /** Series that have windows which are not over. */
  withOpenWindows(): Series[] {
    return this.#all.all<SeriesRow>().flatMap(({ key }) => {
      const series = this.#touched.get(key) ?? this.#cached(key);
      return series && series.state.windows.length > 0 ? [series] : [];
    });
  }

  /** The caller changes this series. */
  touch(series: Series): void {
    const { metric, source, labels } = series;
    this.#touched.set(keyOf({ metric, source, labels }), series);
  }

  find(number: number): Series | null {
    const row = this.#byNumber.get<SeriesRow>(number);
    return row ? this.#touched.get(row.key) ?? this.#cached(row.key) ?? null : null;
  }

  addObservation({ number, state }: Series, at: number, value: number): void {
    this.#insertObservation.run(number, at, value);
    if (state.count % PRUNE_EVERY === 0) this.#prune.run(number, this.#bounds.observations_per_series);
  }

  /** Values observed from `start` and before `end`, as far as they are kept. */
  valuesBetween({ number }: Series, start: number, end: number): number[] {
    return this.#between.all<{ value: number }>(number, start, end).map(({ value }) => Number(value));
  }

  /** Write what was changed. In the transaction that the changes belong to. */
  save(): void {
    for (const { number, state } of this.#touched.values()) this.#update.run(JSON.stringify(state), number);
  }

  /** The transaction has succeeded: what was changed holds. */
  keep(): void {
    for (const [key, series] of this.#touched) this.#cache.set(key, series);
    this.#touched.clear();
  }

  /** The transaction has failed: read again what was changed. */
  forget(): void {
    for (const key of this.#touched.keys()) this.#cache.delete(key);
    this.#touched.clear();
  }

  /** Newest first. */
  list(metric: string | null | undefined, before: number, count: number): (SeriesRow & { state: string })[] {
    return metric == null
      ? this.#list.all<SeriesRow>(before, count)
      : this.#listOfMetric.all<SeriesRow>(before, metric, count);
  }

  #cached(key: string): Series | undefined {
    const known = this.#cache.get(key);
    if (known) return known;
    const row = this.#byKey.get<SeriesRow>(key);
    if (!row) return undefined;
    const number = Number(row.number);
    const recent = this.#recent.all<{ at: number; value: number }>(number, WINDOW).reverse();
    const series: Series = {
      number,
      metric: row.metric,
      source: row.source,
      labels: JSON.parse(row.labels),
      state: JSON.parse(row.state) as SeriesState,
      times: recent.map(({ at }) => Number(at)),
      values: recent.map(({ value }) => Number(value)),
    };
    this.#cache.set(key, series);
    return series;
  }

  #expectRoom(metric: string, now: number): void {
    const { series, series_per_metric } = this.#bounds;
    const ofMetric = () => Number(this.#countOfMetric.get<{ count: number }>(metric)!.count);
    if (ofMetric() >= series_per_metric) {
      this.#forgetIdle(now);
      if (ofMetric() >= series_per_metric) {
        throw new Refusal(
          "INVALID_DATA",
          `Cannot add a series to metric '${metric}': it has ${series_per_metric} sets of source and labels, ` +
            "which is the most (series_per_metric): use labels with fewer values",
        );
      }
    }
    if (this.size < series) return;
    this.#forgetIdle(now);
    if (this.size < series) return;
    throw new Refusal(
      "INVALID_DATA",
      `Cannot add a series of metric '${metric}': there are ${series}, which is the most (series): ` +
        "use fewer metrics, or labels with fewer values",
    );
  }

  /** Make room: series that nothing was heard of for long go, with their observations. */
  #forgetIdle(now: number): void {
    if (Math.abs(now - this.#looked) < LOOK_EVERY_MS) return;
    this.#looked = now;
    const before = now - this.#bounds.series_idle_seconds * 1_000;
    for (const { number, key, state } of this.#all.all<SeriesRow>()) {
      // One that was made in this transaction has no state in its row yet.
      const { heard_at = now } = JSON.parse(state) as Partial<SeriesState>;
      if (heard_at >= before || this.#touched.has(key)) continue;
      this.#prune.run(number, 0);
      this.#delete.run(number);
      this.#cache.delete(key);
    }
  }
}
