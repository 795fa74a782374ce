/**
 * All feeds of the settings.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import type { Database } from "../../../src/ports/database.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import { type ClientMaker, Feed } from "./feed.ts";
import { type FeedBatchParts, takeOver } from "./feed-batch.ts";
import { FeedRecords } from "./feed-records.ts";
import type { FeedSettings } from "./settings.ts";

export interface FeedsParts {
  readonly settings: Readonly<Record<string, FeedSettings>>;
  readonly database: Database;
  readonly createClient: ClientMaker;
  readonly clock: Clock;
  readonly log: Log;
  readonly futureMs: number;
  readonly record: FeedBatchParts["record"];
  /** Run in a transaction in which observations are taken over. */
  readonly transaction: <T>(work: () => T) => T;
}

export class Feeds {
  readonly #records: FeedRecords;
  readonly #feeds = new Map<string, { readonly feed: Feed; readonly settings: FeedSettings }>();
  /** Not worth a transaction each; written with what is taken over next. */
  readonly #garbage = new Map<string, number>();

  constructor(parts: FeedsParts) {
    const { createClient, clock, log, futureMs, record } = parts;
    const records = this.#records = new FeedRecords(parts.database);
    for (const [name, settings] of Object.entries(parts.settings)) {
      const batch = { name, settings, records, futureMs, record, now: () => clock.now() };
      const feed = new Feed({
        name,
        settings,
        createClient,
        clock,
        log,
        position: (channel) => records.position(name, channel),
        countGarbage: () => this.#garbage.set(name, (this.#garbage.get(name) ?? 0) + 1),
        take: (heard) => {
          const garbage = this.#garbage.get(name) ?? 0;
          const gaps = parts.transaction(() => {
            const gaps = takeOver(batch, heard);
            const counts = records.counts(name);
            if (garbage > 0) records.saveCounts(name, { ...counts, garbage: counts.garbage + garbage });
            return gaps;
          });
          this.#garbage.delete(name);
          if (gaps > 0) log.warn("Feed has missed events that can no longer be had", { feed: name, gaps });
        },
      });
      this.#feeds.set(name, { feed, settings });
    }
  }

  start(): void {
    for (const { feed } of this.#feeds.values()) feed.start();
  }

  stop(): void {
    for (const { feed } of this.#feeds.values()) feed.stop();
  }

  /** For `get_status`: how each feed stands. Never its token. */
  status(): JsonObject {
    return Object.fromEntries(
      [...this.#feeds].map(([name, { feed, settings: { url, channels } }]) => {
        const counts = this.#records.counts(name);
        return [name, {
          url,
          connected: feed.connected,
          ...counts,
          garbage: counts.garbage + (this.#garbage.get(name) ?? 0),
          positions: Object.fromEntries(
            Object.keys(channels).map((channel) => [channel, { ...this.#records.position(name, channel) }]),
          ),
        }];
      }),
    );
  }
}
