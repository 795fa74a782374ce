/**
 * Knowledge items and their full-text index in the database.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { readJson } from "./context.ts";
import { excerptOf, shortened } from "./excerpt.ts";
import type { Filter } from "./filtered-query.ts";
import type { Entity, Relation } from "./graph.ts";
import { Ranking } from "./ranking.ts";
import { searchTerms } from "./search-terms.ts";
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

/** In UTF-16 units: a word may be as long as the content. */
const MAX_EXCERPT_LENGTH = 400;
/** Of the hits of one search so much content is looked at for the best excerpt; of what is beyond, the beginning. */
const EXCERPT_LENGTH = 524_288;
const MAX_HURRIED_LENGTH = 4_096;

export class KnowledgeItems {
  readonly #insert: Statement;
  readonly #index: Statement;
  readonly #find: Statement;
  readonly #content: Statement;
  readonly #ranking: Ranking;

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
    // By itself, for the hits that are answered only: it may be long.
    this.#content = database.prepare("SELECT content FROM knowledge WHERE number = ?");
    this.#ranking = new Ranking(database);
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
    const terms = searchTerms(query);
    const rows = this.#ranking.best(terms, filter, limit);
    // bm25 is negative, the better the lower.
    const best = Number(rows[0]?.rank ?? 0);
    let left = EXCERPT_LENGTH;
    return rows.map((row) => {
      const content = this.#content.get<{ content: string }>(row.number)?.content ?? "";
      const part = content.length <= left ? content : shortened(content, MAX_HURRIED_LENGTH);
      left = Math.max(0, left - content.length);
      return {
        knowledge_id: row.knowledge_id,
        session_id: row.session_id,
        kind: row.kind,
        excerpt: shortened(excerptOf(part, terms), MAX_EXCERPT_LENGTH),
        score: best === 0 ? 1 : Math.min(1, Math.max(0, Number(row.rank) / best)),
      };
    });
  }
}
