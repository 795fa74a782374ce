/**
 * Tables of akosha, as migration steps. A step that has been released is never changed; a new one is added.
 *
 * Times are milliseconds since the Unix epoch. `number` grows with every row and orders lists; ids are for the world.
 *
 * @module
 */

/** Name under which the steps are counted. */
export const SCHEMA_NAME = "akosha";

export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE series (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    metric TEXT NOT NULL,
    source TEXT NOT NULL,
    labels TEXT NOT NULL,
    state TEXT NOT NULL
  ) STRICT;
  CREATE INDEX series_by_metric ON series (metric, number);

  CREATE TABLE observations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    series INTEGER NOT NULL REFERENCES series (number) ON DELETE CASCADE,
    at INTEGER NOT NULL,
    value REAL NOT NULL
  ) STRICT;
  CREATE INDEX observations_by_time ON observations (series, at, number);

  CREATE TABLE aggregations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    series INTEGER NOT NULL,
    metric TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    mean REAL NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX aggregations_by_series ON aggregations (series, started_at);
  CREATE INDEX aggregations_by_metric ON aggregations (metric, number);

  CREATE TABLE anomalies (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    series INTEGER NOT NULL,
    metric TEXT NOT NULL,
    at INTEGER NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX anomalies_by_series ON anomalies (series, at);
  CREATE INDEX anomalies_by_metric ON anomalies (metric, number);

  CREATE TABLE patterns (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    series INTEGER NOT NULL,
    other INTEGER,
    active INTEGER NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX patterns_by_kind ON patterns (kind, number);
  CREATE INDEX patterns_by_series ON patterns (series, kind) WHERE active = 1;
  CREATE INDEX patterns_by_other ON patterns (other, kind) WHERE active = 1;

  CREATE TABLE insights (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    at INTEGER NOT NULL,
    content TEXT NOT NULL
  ) STRICT;
  CREATE INDEX insights_by_key ON insights (key, number);

  CREATE TABLE feed_positions (
    feed TEXT NOT NULL,
    channel TEXT NOT NULL,
    epoch TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (feed, channel)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE feed_counts (
    feed TEXT PRIMARY KEY,
    counts TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
];
