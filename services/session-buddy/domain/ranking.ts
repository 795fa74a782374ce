/**
 * Which items answer a search best. Ranking reads every find in every item, so only so much text is ranked: of a search
 * with more hits the newest ones, and all hits of its rarer terms, which say most about what was meant.
 *
 * @module
 */
import type { Database } from "../../../src/ports/database.ts";
import { type Filter, FilteredQuery } from "./filtered-query.ts";
import { searchExpression } from "./search-terms.ts";
import { wordsOf } from "./words.ts";

export interface RankedRow {
  readonly number: number;
  readonly knowledge_id: string;
  readonly session_id: string;
  readonly kind: string;
  /** bm25: negative, the better the lower. */
  readonly rank: number;
}

type Place = Filter<"session_id" | "kind">;

interface Extent {
  /** Hits from this one on are within the bound. */
  readonly floor: number;
  readonly length: number;
  /** False where there are older hits. */
  readonly whole: boolean;
}

/** Characters of content that one search ranks, and half of it for the rarer terms. */
const RANKED_LENGTH = 4_194_304;
/** What an item costs beside its content. */
const ITEM_LENGTH = 512;
/** Hits looked at in one go at first; each further go looks at twice as many. */
const FIRST_PAGE = 4;
const NEWEST = Number.MAX_SAFE_INTEGER;

/** Phrases are looked for word by word, and may begin anywhere: with long ones less text is ranked, down to a quarter. */
function affordable(terms: readonly string[]): number {
  const words = terms.reduce((sum, term) => sum + Math.max(1, wordsOf(term).length), 0);
  return RANKED_LENGTH * Math.max(0.25, terms.length / words);
}

export class Ranking {
  readonly #ranked: FilteredQuery<"session_id" | "kind">;
  readonly #sizes: FilteredQuery<"session_id" | "kind">;

  constructor(database: Database) {
    const hits = "FROM knowledge_text JOIN knowledge ON number = knowledge_text.rowid " +
      "WHERE knowledge_text MATCH ? AND knowledge_text.rowid";
    this.#ranked = new FilteredQuery(
      database,
      ["session_id", "kind"],
      (conditions) =>
        `SELECT number, knowledge_id, session_id, kind, knowledge_text.rank AS rank ${hits} >= ? ${conditions}` +
        "ORDER BY knowledge_text.rank, number DESC LIMIT ?",
    );
    this.#sizes = new FilteredQuery(
      database,
      ["session_id", "kind"],
      (conditions) =>
        `SELECT number, length(knowledge.content) AS length ${hits} < ? ${conditions}` +
        "ORDER BY knowledge_text.rowid DESC LIMIT ?",
    );
  }

  /** Best first; among equals the newest. */
  best(terms: readonly string[], place: Place, limit: number): RankedRow[] {
    if (terms.length === 0) return [];
    const extent = this.#extent(terms, place, affordable(terms));
    const newest = this.#rank(terms, place, extent.floor, limit);
    if (extent.whole) return newest;
    const rare = this.#rareTerms(terms, place);
    if (rare.length === 0) return newest;
    const all = new Map(newest.map((row) => [row.number, row]));
    for (const row of this.#rank(rare, place, 0, limit)) {
      if (!all.has(row.number)) all.set(row.number, row);
    }
    return [...all.values()].sort((a, b) => a.rank - b.rank || b.number - a.number).slice(0, limit);
  }

  #rank(terms: readonly string[], place: Place, floor: number, limit: number): RankedRow[] {
    return this.#ranked.all<RankedRow>([searchExpression(terms), floor], place, [limit]);
  }

  /** Terms all of whose hits can be ranked, the rarest first. */
  #rareTerms(terms: readonly string[], place: Place): string[] {
    const most = affordable(terms) / 2;
    // So that looking for them costs no more than ranking them.
    const each = most / Math.min(4, terms.length);
    const extents = terms.map((term) => ({ term, ...this.#extent([term], place, each) }));
    let left = most;
    return extents.filter(({ whole }) => whole).sort((a, b) => a.length - b.length)
      .filter(({ length }) => (left -= length) >= 0).map(({ term }) => term);
  }

  /** How far back the hits go that come to at most so much text. */
  #extent(terms: readonly string[], place: Place, most: number): Extent {
    const expression = searchExpression(terms);
    let length = 0;
    let floor = NEWEST;
    for (let count = FIRST_PAGE;; count *= 2) {
      const page = this.#sizes.all<{ number: number; length: number }>([expression, floor], place, [count]);
      for (const row of page) {
        length += row.length + ITEM_LENGTH;
        if (length > most) return { floor, length, whole: false };
        floor = row.number;
      }
      if (page.length < count) return { floor: 0, length, whole: true };
    }
  }
}
