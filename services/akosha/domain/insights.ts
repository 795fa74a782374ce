/**
 * Insights: what findings mean together. Evidence that comes soon after joins the insight that is there.
 *
 * @module
 */
import type { Database } from "../../../src/ports/database.ts";
import type { EventData } from "../../../src/protocol/contract.ts";
import type { AkoshaContract } from "../contract.ts";
import type { AnomalyEvent, AnomalyRow } from "./anomalies.ts";
import { Findings } from "./findings.ts";
import { subjectOf, titleOf } from "./observation.ts";
import type { PatternEvent, Patterns } from "./patterns.ts";
import type { Series } from "./series.ts";

export type InsightEvent = EventData<AkoshaContract, "insight.generated">;

/** With what says whether new evidence belongs to it. */
export interface InsightRow extends InsightEvent {
  readonly created_at: string;
  readonly latest: number;
}

/** Anomalies of one series that make a recurrence, and the time in which they do. */
const RECURRENCES = 3;
const RECURRENCE_MS = 86_400_000;
const MAX_EVIDENCE = 100;

export interface InsightParts {
  readonly database: Database;
  readonly kept: number;
  readonly incidentMs: number;
  readonly newId: () => string;
  readonly anomalies: Findings<AnomalyRow>;
  readonly patterns: Patterns;
}

export class Insights {
  readonly findings: Findings<InsightRow>;
  readonly #parts: InsightParts;

  constructor(parts: InsightParts) {
    this.#parts = parts;
    this.findings = new Findings(parts.database, "insights", ["key", "at"], parts.kept);
  }

  /** What an anomaly that was just noted leads to. */
  ofAnomaly(series: Series, anomaly: AnomalyEvent, at: number): InsightEvent[] {
    const id = anomaly.anomaly_id;
    const { metric } = series;
    const subject = subjectOf(series);
    const found = [
      this.#gather(`incident ${series.source} ${subject}`, at, this.#parts.incidentMs, {
        insight_type: "incident",
        title: `${metric} of ${subject} stands out`,
        description: `${anomaly.description}. Severity ${anomaly.severity}, source ${series.source}`,
        data: { evidence: [id], subject, metrics: [metric] },
      }),
      this.#recurrence(series, at),
      ...this.#related(series, id, at),
    ];
    return found.filter((event) => event !== null);
  }

  /** What a pattern that was just noted leads to. */
  ofPattern(series: Series, pattern: PatternEvent, at: number): InsightEvent[] {
    if (pattern.pattern_type !== "change_point" && pattern.pattern_type !== "trend") return [];
    const what = pattern.pattern_type === "trend" ? "drifts" : "has a new level";
    const event = this.#gather(`shift ${series.number}`, at, this.#parts.incidentMs, {
      insight_type: "shift",
      title: `${titleOf(series)} ${what}`,
      description: `${pattern.description}. Source ${series.source}`,
      data: { evidence: [pattern.pattern_id], subject: subjectOf(series), metrics: [series.metric] },
    });
    return event ? [event] : [];
  }

  #recurrence(series: Series, at: number): InsightEvent | null {
    const recent = this.#anomaliesSince(series.number, at - RECURRENCE_MS, at, MAX_EVIDENCE);
    if (recent.length < RECURRENCES) return null;
    return this.#gather(`recurrence ${series.number}`, at, RECURRENCE_MS, {
      insight_type: "recurrence",
      title: `${titleOf(series)} stands out again and again`,
      description: `${recent.length} anomalies of ${titleOf(series)} within a day. Source ${series.source}`,
      data: { evidence: recent, subject: subjectOf(series), metrics: [series.metric] },
    });
  }

  #related(series: Series, anomaly: string, at: number): (InsightEvent | null)[] {
    const { patterns, incidentMs } = this.#parts;
    return patterns.partners(series).map(({ id, partner }) => {
      const [other] = this.#anomaliesSince(partner, at - incidentMs, at + incidentMs, 1);
      const pattern = other === undefined ? null : patterns.findings.find(id);
      if (!other || !pattern) return null;
      const names = pattern.metrics.map(titleOf);
      return this.#gather(`related ${id}`, at, incidentMs, {
        insight_type: "related",
        title: `${names.join(" and ")} stand out together`,
        description: `${names.join(" and ")} usually move together, and both stand out now`,
        data: {
          evidence: [anomaly, other, id],
          subject: names.join(" and "),
          metrics: pattern.metrics.map(({ metric }) => metric),
        },
      });
    });
  }

  #anomaliesSince(series: number, from: number, to: number, count: number): string[] {
    const rows = this.#parts.anomalies.list(
      "series = ? AND at >= ? AND at <= ?",
      [series, from, to],
      Number.MAX_SAFE_INTEGER,
      count,
    );
    return rows.map(({ content }) => content.anomaly_id).reverse();
  }

  /** The insight where it is a new one; else its evidence joins that of the same key. */
  #gather(
    key: string,
    at: number,
    withinMs: number,
    fresh: Omit<InsightEvent, "insight_id">,
  ): InsightEvent | null {
    const [last] = this.findings.list("key = ?", [key], Number.MAX_SAFE_INTEGER, 1);
    if (last && Math.abs(at - last.content.latest) <= withinMs) {
      const { content } = last;
      const { evidence, metrics } = content.data;
      this.findings.update(content.insight_id, {
        ...content,
        latest: Math.max(content.latest, at),
        data: {
          ...content.data,
          evidence: [...new Set([...evidence, ...fresh.data.evidence])].slice(0, MAX_EVIDENCE),
          metrics: [...new Set([...metrics, ...fresh.data.metrics])],
        },
      });
      return null;
    }
    const event = { insight_id: this.#parts.newId(), ...fresh };
    const created_at = new Date(at).toISOString();
    this.findings.insert(event.insight_id, { ...event, created_at, latest: at }, key, at);
    return event;
  }
}
