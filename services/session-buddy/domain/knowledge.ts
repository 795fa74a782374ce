/**
 * Knowledge items and their full-text index in the database.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { readJson } from "./context.ts";
import { shortened } from "./excerpt.ts";
import { type Filter, FilteredQuery } from "./filtered-query.ts";
import type { Entity, Relation } from "./graph.ts";
import { searchExpression } from "./search-terms.ts";
import { isoTime } from "./sessions.ts";

export interface NewKnowledge {
  readonly knowledge_id: string;
  readonly session_id: string;
  readonly kind: string;
  readonly content: string;
  readonly topics: string[];
  readonly confidence: number | null;
  readonly entities: Entity[];
  readonly relations: Relation[];
}

export interface Knowledge extends NewKnowledge {
  readonly created_at: string;
}

/** An item that a search has found. */
export interface Hit {
  readonly knowledge_id: string;
  readonly session_id: string;
  readonly kind: string;
  readonly excerpt: string;
  /** 0 to 1, in relation to the best hit of the search, which has 1. */
  readonly score: number;
}

interface StoredRow {
  knowledge_id: string;
  session_id: string;
  kind: string;
  content: string;
  topics: string;
  confidence: number | null;
  entities: string;
  relations: string;
  created_at: number;
}

interface RankedRow {
  number: number;
  knowledge_id: string;
  session_id: string;
  kind: string;
  rank: number;
}

/** In UTF-16 units: a word may be as long as the content. */
const MAX_EXCERPT_LENGTH = 400;

export class KnowledgeItems {
  readonly #insert: Statement;
  readonly #index: Statement;
  readonly #find: Statement;
  readonly #excerpt: Statement;
  readonly #search: FilteredQuery<"session_id" | "kind">;

  constructor(database: Database) {
    this.#insert = database.prepare(
      "INSERT INTO knowledge (knowledge_id, session_id, kind, content, labels, topics, confidence, entities, " +
        "relations, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    );
    this.#index = database.prepare(
      "INSERT INTO knowledge_text (rowid, content, labels) " +
        "SELECT number, content, labels FROM knowledge WHERE knowledge_id = ?",
    );
    this.#find = database.prepare(
      "SELECT knowledge_id, session_id, kind, content, topics, confidence, entities, relations, created_at " +
        "FROM knowledge WHERE knowledge_id = ?",
    );
    // By itself, for the hits that are answered only: snippet() reads the whole content.
    this.#excerpt = database.prepare(
      "SELECT snippet(knowledge_text, 0, '', '', '…', 32) AS excerpt FROM knowledge_text " +
        "WHERE knowledge_text MATCH ? AND rowid = ?",
    );
    this.#search = new FilteredQuery(
      database,
      ["session_id", "kind"],
      (conditions) =>
        "SELECT number, knowledge_id, session_id, kind, knowledge_text.rank AS rank FROM knowledge_text " +
        `JOIN knowledge ON number = knowledge_text.rowid WHERE knowledge_text MATCH ? ${conditions}` +
        "ORDER BY knowledge_text.rank, number DESC LIMIT ?",
    );
  }

  insert(item: NewKnowledge, now: number): Knowledge {
    const labels = [...item.topics, ...item.entities.map(({ name }) => name)].join("\n");
    this.#insert.run(
      item.knowledge_id,
      item.session_id,
      item.kind,
      item.content,
      labels,
      JSON.stringify(item.topics),
      item.confidence,
      JSON.stringify(item.entities),
      JSON.stringify(item.relations),
      now,
    );
    this.#index.run(item.knowledge_id);
    return { ...item, created_at: isoTime(now) };
  }

  /** @throws {Refusal} NOT_FOUND */
  require(id: string): Knowledge {
    const row = this.#find.get<StoredRow>(id);
    if (!row) throw new Refusal("NOT_FOUND", `No knowledge item '${id}'`);
    return {
      knowledge_id: row.knowledge_id,
      session_id: row.session_id,
      kind: row.kind,
      content: row.content,
      topics: readJson<string[]>(row.topics),
      confidence: row.confidence === null ? null : Number(row.confidence),
      entities: readJson(row.entities) as unknown as Entity[],
      relations: readJson(row.relations) as unknown as Relation[],
      created_at: isoTime(row.created_at),
    };
  }

  /** Best first; among equals the newest. Any text is a query. */
  search(query: string, filter: Filter<"session_id" | "kind">, limit: number): Hit[] {
    const expression = searchExpression(query);
    if (expression === null) return [];
    const rows = this.#search.all<RankedRow>([expression], filter, [limit]);
    // bm25 is negative, the better the lower.
    const best = Number(rows[0]?.rank ?? 0);
    return rows.map((row) => ({
      knowledge_id: row.knowledge_id,
      session_id: row.session_id,
      kind: row.kind,
      excerpt: this.#excerptOf(expression, row.number),
      score: best === 0 ? 1 : Math.min(1, Math.max(0, Number(row.rank) / best)),
    }));
  }

  #excerptOf(expression: string, number: number): string {
    const row = this.#excerpt.get<{ excerpt: string }>(expression, number);
    return shortened(row?.excerpt ?? "", MAX_EXCERPT_LENGTH);
  }
}
