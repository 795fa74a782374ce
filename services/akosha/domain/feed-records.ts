/**
 * How far feeds have come, and what they have met, in the database.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import type { Position } from "../../../src/protocol/event.ts";

/** Since the first start. */
export interface FeedCounts {
  /** Events that were taken over. */
  events: number;
  observations: number;
  /** Observations that came too late, and such as there was no room for. */
  late: number;
  refused: number;
  /** Rules that found no number in their event. */
  ignored: number;
  /** Frames that were none. */
  garbage: number;
  /** Holes: events that can no longer be had. */
  gaps: number;
}

const NONE: FeedCounts = {
  events: 0,
  observations: 0,
  late: 0,
  refused: 0,
  ignored: 0,
  garbage: 0,
  gaps: 0,
};

export class FeedRecords {
  readonly #position: Statement;
  readonly #savePosition: Statement;
  readonly #counts: Statement;
  readonly #saveCounts: Statement;

  constructor(database: Database) {
    this.#position = database.prepare("SELECT epoch, seq FROM feed_positions WHERE feed = ? AND channel = ?");
    this.#savePosition = database.prepare(
      "INSERT OR REPLACE INTO feed_positions (feed, channel, epoch, seq) VALUES (?, ?, ?, ?)",
    );
    this.#counts = database.prepare("SELECT counts FROM feed_counts WHERE feed = ?");
    this.#saveCounts = database.prepare("INSERT OR REPLACE INTO feed_counts (feed, counts) VALUES (?, ?)");
  }

  position(feed: string, channel: string): Position | null {
    const row = this.#position.get<{ epoch: string; seq: number }>(feed, channel);
    return row ? { epoch: row.epoch, seq: Number(row.seq) } : null;
  }

  savePosition(feed: string, channel: string, { epoch, seq }: Position): void {
    this.#savePosition.run(feed, channel, epoch, seq);
  }

  counts(feed: string): FeedCounts {
    const row = this.#counts.get<{ counts: string }>(feed);
    return { ...NONE, ...row && JSON.parse(row.counts) as Partial<FeedCounts> };
  }

  saveCounts(feed: string, counts: FeedCounts): void {
    this.#saveCounts.run(feed, JSON.stringify(counts));
  }
}
