/**
 * Tables of the events, and how a row becomes an event again.
 *
 * @module
 */
import { DatabaseError } from "../ports/database.ts";
import type { SequencedEvent } from "../protocol/event.ts";
import { isJsonObject } from "../protocol/json-value.ts";
import { parseJson } from "../protocol/json.ts";

/**
 * `events.at` is the wall clock of the append, never below that of an earlier row, so that age follows seq. Columns that
 * are looked at without the event come first, since a long `data` spills over into further pages. `seq` is the rowid
 * and thereby the last column of both indexes.
 */
export const EVENT_STEPS: readonly string[] = [
  `CREATE TABLE events (
     seq INTEGER PRIMARY KEY,
     at INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     prev INTEGER NOT NULL,
     channel TEXT NOT NULL,
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     event TEXT NOT NULL,
     timestamp TEXT NOT NULL,
     traceparent TEXT,
     data TEXT NOT NULL
   );
   CREATE INDEX events_by_channel ON events (channel);
   CREATE INDEX events_by_kind ON events (kind);
   CREATE TABLE event_channels (
     name TEXT PRIMARY KEY,
     kind TEXT NOT NULL,
     seq INTEGER NOT NULL,
     kept INTEGER NOT NULL,
     bytes INTEGER NOT NULL,
     evicted INTEGER NOT NULL
   ) WITHOUT ROWID;
   CREATE TABLE event_kinds (kind TEXT PRIMARY KEY, forgotten INTEGER NOT NULL) WITHOUT ROWID;
   CREATE TABLE event_meta (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     epoch TEXT NOT NULL,
     reserved INTEGER NOT NULL
   );`,
];

/** What `rowToEvent` needs, in SQL. */
export const EVENT_COLUMNS = "events.seq AS seq, prev, channel, id, event, timestamp, traceparent, data";

export interface EventRow {
  readonly seq: number;
  readonly prev: number;
  readonly channel: string;
  readonly id: string;
  readonly event: string;
  readonly timestamp: string;
  readonly traceparent: string | null;
  readonly data: string;
}

/** @throws {DatabaseError} where the row's data is not what was written. */
export function rowToEvent(row: EventRow, epoch: string): SequencedEvent {
  const parsed = parseJson(row.data);
  if (!parsed.ok || !isJsonObject(parsed.value)) {
    throw new DatabaseError(
      `Cannot read event ${row.seq}: its data is not a JSON object; the database is damaged, restore it from a copy`,
    );
  }
  return {
    id: row.id,
    channel: row.channel,
    event: row.event,
    data: parsed.value,
    timestamp: row.timestamp,
    ephemeral: false,
    ...(row.traceparent === null ? {} : { traceparent: row.traceparent }),
    epoch,
    seq: row.seq,
    prev: row.prev,
  };
}
