/**
 * Anomalies: one for each excursion of a series, however many values it lasts.
 *
 * @module
 */
import type { EventData } from "../../../src/protocol/contract.ts";
import type { Database } from "../../../src/ports/database.ts";
import type { AkoshaContract } from "../contract.ts";
import { Findings } from "./findings.ts";
import { shown, titleOf } from "./observation.ts";
import { judge, type Judgement, severityOf } from "./outlier.ts";
import { presentLevel, type Series, WINDOW } from "./series.ts";

export type AnomalyEvent = EventData<AkoshaContract, "anomaly.detected">;

export interface AnomalyRow extends AnomalyEvent {
  peak: { value: number; z_score: number };
  observations: number;
  ended_at: string | null;
}

/** Usual values that end an excursion. */
const USUAL_VALUES = 3;
/** Values after which an excursion counts as what is usual. */
const LONG_EXCURSION = 32;

export interface AnomalyParts {
  readonly database: Database;
  readonly kept: number;
  readonly threshold: number;
  readonly newId: () => string;
}

export class Anomalies {
  readonly findings: Findings<AnomalyRow>;
  readonly #threshold: number;
  readonly #newId: () => string;

  constructor({ database, kept, threshold, newId }: AnomalyParts) {
    this.findings = new Findings(database, "anomalies", ["series", "metric", "at"], kept);
    this.#threshold = threshold;
    this.#newId = newId;
  }

  /** Judge a value before it is remembered. The anomaly where one begins with it. */
  look(series: Series, at: number, value: number): AnomalyEvent | null {
    const { excursion } = series.state;
    const { values } = presentLevel(series, WINDOW);
    const judgement = judge(value, values.slice(0, before(excursion)), this.#threshold, series.state.prior);
    if (excursion) excursion.length++;
    if (!judgement?.isOutlier) {
      if (excursion && ++excursion.usual >= USUAL_VALUES) this.end(series, at);
      return null;
    }
    if (excursion) {
      excursion.usual = 0;
      this.#goOn(excursion.id, value, judgement);
      return null;
    }
    const event = eventOf(this.#newId(), series, at, value, judgement);
    series.state.excursion = { id: event.anomaly_id, usual: 0, length: 1 };
    const peak = { value, z_score: event.metrics.z_score };
    const row = { ...event, peak, observations: 1, ended_at: null };
    this.findings.insert(event.anomaly_id, row, series.number, series.metric, at);
    return event;
  }

  /** The excursion of a series is over, where there is one. */
  end(series: Series, at: number): void {
    const { excursion } = series.state;
    if (!excursion) return;
    series.state.excursion = null;
    const row = this.findings.find(excursion.id);
    if (row) this.findings.update(excursion.id, { ...row, ended_at: new Date(at).toISOString() });
  }

  #goOn(id: string, value: number, { z }: Judgement): void {
    const row = this.findings.find(id);
    if (!row) return;
    const peak = Math.abs(z) > Math.abs(row.peak.z_score) ? { value, z_score: rounded(z) } : row.peak;
    this.findings.update(id, { ...row, peak, observations: row.observations + 1 });
  }
}

/** An excursion does not make itself usual, unless it goes on and on. */
function before(excursion: Series["state"]["excursion"]): number | undefined {
  return excursion && excursion.length <= LONG_EXCURSION ? -excursion.length : undefined;
}

function eventOf(
  id: string,
  series: Series,
  at: number,
  value: number,
  judgement: Judgement,
): AnomalyEvent {
  const { metric, source, labels } = series;
  const { expected, z } = judgement;
  return {
    anomaly_id: id,
    anomaly_type: z > 0 ? "spike" : "drop",
    severity: severityOf(judgement),
    description: `${titleOf(series)} is ${shown(value)}, expected about ${shown(expected)}`,
    metrics: {
      metric,
      value,
      expected,
      z_score: rounded(z),
      source,
      labels,
      observed_at: new Date(at).toISOString(),
    },
  };
}

function rounded(z: number): number {
  return Math.round(z * 1_000) / 1_000;
}
