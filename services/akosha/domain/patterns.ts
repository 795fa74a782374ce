/**
 * Patterns in the database: told when they begin to show, active until they do no more.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import type { EventData } from "../../../src/protocol/contract.ts";
import type { AkoshaContract } from "../contract.ts";
import type { Category } from "../fields.ts";
import { Findings } from "./findings.ts";
import type { Series } from "./series.ts";

export type PatternEvent = EventData<AkoshaContract, "pattern.detected">;
export type PatternRow = PatternEvent & { readonly ended_at: string | null };

/** What a detector says of a pattern that begins. */
export interface Onset {
  readonly description: string;
  readonly confidence: number;
  readonly start: number;
  readonly end: number;
  readonly evidence: Readonly<Record<string, number | string>>;
}

export class Patterns {
  readonly findings: Findings<PatternRow>;
  readonly #newId: () => string;
  readonly #active: Statement;
  readonly #partners: Statement;
  readonly #end: Statement;

  constructor(database: Database, kept: number, newId: () => string) {
    this.findings = new Findings(database, "patterns", ["kind", "series", "other", "active"], kept);
    this.#newId = newId;
    this.#active = database.prepare(
      "SELECT id FROM patterns WHERE series = ? AND kind = ? AND other IS ? AND active = 1",
    );
    this.#partners = database.prepare(
      "SELECT id, other AS partner FROM patterns WHERE series = ? AND kind = 'correlation' AND active = 1 " +
        "UNION ALL SELECT id, series FROM patterns WHERE other = ? AND kind = 'correlation' AND active = 1",
    );
    this.#end = database.prepare("UPDATE patterns SET active = 0, content = ? WHERE id = ?");
  }

  /** A pattern begins. @param lasts whether it goes on until it is ended */
  begin(kind: Category, involved: readonly [Series, Series?], onset: Onset, lasts: boolean): PatternEvent {
    const [series, other] = involved;
    const window = { start: iso(onset.start), end: iso(onset.end) };
    const event: PatternEvent = {
      pattern_id: this.#newId(),
      pattern_type: kind,
      description: onset.description,
      confidence: Math.round(Math.max(0, Math.min(1, onset.confidence)) * 10_000) / 10_000,
      metrics: [series, ...other ? [other] : []].map(({ metric, source, labels }) => ({
        metric,
        source,
        labels,
      })),
      window,
      evidence: { ...onset.evidence },
    };
    const row = { ...event, ended_at: lasts ? null : window.end };
    this.findings.insert(event.pattern_id, row, kind, series.number, other?.number ?? null, lasts ? 1 : 0);
    return event;
  }

  /** The pattern of this kind that goes on in the series, or the two. */
  active(kind: Category, { number }: Series, other: Series | null = null): PatternRow | null {
    const row = this.#active.get<{ id: string }>(number, kind, other?.number ?? null);
    return row ? this.findings.find(row.id) : null;
  }

  /** Series that move together with this one, by number, with the pattern's id. */
  partners({ number }: Series): { id: string; partner: number }[] {
    return this.#partners.all<{ id: string; partner: number }>(number, number)
      .map(({ id, partner }) => ({ id, partner: Number(partner) }));
  }

  end(row: PatternRow, at: number): void {
    this.#end.run(JSON.stringify({ ...row, ended_at: iso(at) }), row.pattern_id);
  }
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
