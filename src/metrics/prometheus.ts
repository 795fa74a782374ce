/**
 * The numbers of one server as Prometheus text (version 0.0.4). Counting is done here, in plain fields, since a bound
 * child of `prom-client` spends a quarter of a microsecond on hashing its labels at every count; `prom-client` writes
 * the text, and is loaded when the first text is asked for.
 *
 * @module
 */
import type { Metric, Registry } from "prom-client";
import type { Counter, Gauge, Histogram, Labels, Meter } from "../ports/meter.ts";
import { type LabelName, type LabelRule, LABELS, type MetricRow, METRICS } from "./catalog.ts";

export interface Prometheus {
  /**
   * Handles of the metrics of the catalog. The same name and labels give the same handle. `server` and `name` are filled
   * in. An unknown name, the wrong type, and labels other than the row's throw a TypeError: a fault of ours.
   * Counting never throws; what is not a finite number (for a counter: not above zero) is left out.
   */
  readonly meter: Meter;
  /** All metrics, of one moment, after everything handed to `onScrape` has run. Rejects with what that threw. */
  text(): Promise<string>;
  /** Value of the `Content-Type` header that goes with the text. */
  readonly contentType: string;
  /**
   * Run `fill` before each text, to set gauges that nobody keeps up to date. The text waits for what it returns. Returns
   * the way to stop that.
   */
  onScrape(fill: () => void | Promise<void>): () => void;
}

/** A line of the text before it is written. */
interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

/** One series. */
interface Cell {
  samples(name: string, labels: Labels): Sample[];
}

class NumberCell implements Cell, Counter, Gauge {
  #value = 0;

  add(by = 1): void {
    if (by > 0 && by < Infinity) this.#value += by;
  }

  set(value: number): void {
    if (Number.isFinite(value)) this.#value = value;
  }

  samples(name: string, labels: Labels): Sample[] {
    return [{ metricName: name, labels, value: this.#value }];
  }
}

class HistogramCell implements Cell, Histogram {
  readonly #bounds: readonly number[];
  /** By bucket, not yet cumulative; the last is for what exceeds every bound. */
  readonly #counts: number[];
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
    this.#counts = new Array<number>(bounds.length + 1).fill(0);
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return;
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += value;
  }

  samples(name: string, labels: Labels): Sample[] {
    let count = 0;
    const samples: Sample[] = this.#counts.map((within, bucket) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le: this.#bounds[bucket] ?? "+Inf" },
      value: count += within,
    }));
    samples.push({ metricName: `${name}_sum`, labels, value: this.#sum });
    samples.push({ metricName: `${name}_count`, labels, value: count });
    return samples;
  }
}

type AnyCell = NumberCell | HistogramCell;

/** One metric: its row and its series, by their label values. What `prom-client` asks for is `name` and `get`. */
class Family {
  readonly name: string;
  readonly row: MetricRow;
  readonly #series: Map<string, { labels: Labels; cell: AnyCell }>;

  /** @param shown The family whose series this one shows as its own. */
  constructor(name: string, row: MetricRow, shown?: Family) {
    this.name = name;
    this.row = row;
    this.#series = shown ? shown.#series : new Map();
  }

  cell(labels: Labels): AnyCell {
    const key = Object.values(labels).join("\n");
    let series = this.#series.get(key);
    if (!series) {
      const cell = this.row.type === "histogram"
        ? new HistogramCell(this.row.buckets ?? [])
        : new NumberCell();
      series = { labels, cell };
      this.#series.set(key, series);
    }
    return series.cell;
  }

  get(): object {
    const values = [...this.#series.values()].flatMap(({ labels, cell }) => cell.samples(this.name, labels));
    return { name: this.name, help: this.row.meaning, type: this.row.type, values, aggregator: "sum" };
  }
}

/**
 * Make the meter of one server. It has a registry of its own, so that servers in one process do not mix.
 *
 * @param server Name of the service: the value of the labels `server` and `name`.
 */
export function createPrometheus(server: string): Prometheus {
  const families = new Map<string, Family>();
  for (const [name, row] of Object.entries<MetricRow>(METRICS)) {
    families.set(
      name,
      new Family(name, row, row.sameAs === undefined ? undefined : families.get(row.sameAs)),
    );
  }
  const scrapes = new Set<{ readonly fill: () => void | Promise<void> }>();
  let registry: Promise<Registry> | undefined;

  const handle = (type: MetricRow["type"], name: string, labels: Labels = {}): AnyCell => {
    const family = families.get(name);
    if (!family) throw new TypeError(`Cannot count '${name}': no such metric in the catalog`);
    if (family.row.type !== type) {
      throw new TypeError(`Cannot count '${name}' as a ${type}: it is a ${family.row.type}`);
    }
    if (family.row.sameAs !== undefined) {
      throw new TypeError(`Cannot count '${name}': it shows what is counted as '${family.row.sameAs}'`);
    }
    return family.cell(checkLabels(name, family.row.labels, { server, name: server }, labels));
  };

  return {
    meter: {
      counter: (name, labels) => handle("counter", name, labels) as NumberCell,
      gauge: (name, labels) => handle("gauge", name, labels) as NumberCell,
      histogram: (name, labels) => handle("histogram", name, labels) as HistogramCell,
    },
    contentType: "text/plain; version=0.0.4; charset=utf-8",
    async text() {
      registry ??= openRegistry(families.values());
      const open = await registry;
      await Promise.all([...scrapes].map(({ fill }) => fill()));
      return await open.metrics();
    },
    onScrape(fill) {
      const scrape = { fill };
      scrapes.add(scrape);
      return () => {
        scrapes.delete(scrape);
      };
    },
  };
}

async function openRegistry(families: Iterable<Family>): Promise<Registry> {
  const { Registry } = await import("prom-client");
  const registry = new Registry();
  for (const family of families) registry.registerMetric(family as unknown as Metric);
  return registry;
}

/** The labels of a row in its order, each with a value that its rule allows. */
function checkLabels(metric: string, row: readonly LabelName[], own: Labels, given: Labels): Labels {
  const fault = (detail: string): TypeError => new TypeError(`Cannot count '${metric}': ${detail}`);
  for (const label of Object.keys(given)) {
    if (!(row as readonly string[]).includes(label)) {
      throw fault(`unexpected label '${label}', expected ${row.join(", ")}`);
    }
  }
  const labels: Record<string, string> = {};
  for (const label of row) {
    const filled = Object.hasOwn(own, label) ? own[label] : undefined;
    const value = Object.hasOwn(given, label) ? given[label] : filled;
    if (typeof value !== "string") throw fault(`label '${label}' is missing, expected ${row.join(", ")}`);
    if (filled !== undefined && value !== filled) {
      throw fault(`label '${label}' is '${value}', but this meter counts for '${filled}'`);
    }
    const allowed = allowedValue(LABELS[label], value);
    if (allowed === null) throw fault(`label '${label}' cannot be '${value.slice(0, 100)}'`);
    labels[label] = allowed;
  }
  return labels;
}

function allowedValue(rule: LabelRule, given: string): string | null {
  const value = rule.lowerCase ? given.toLowerCase() : given;
  if (rule.pattern) return rule.pattern.test(value) ? value : null;
  return rule.values?.includes(value) ? value : rule.otherwise ?? null;
}
