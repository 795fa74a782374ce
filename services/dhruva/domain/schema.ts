/**
 * Tables of dhruva, as migration steps. A step that has been released is never changed; a new one is added.
 *
 * Times are milliseconds since the Unix epoch. `number` grows with every row and orders lists; ids are for the world. A
 * blob is `loose` when nothing may need it: only those are looked at when some are collected.
 *
 * @module
 */

/** Name under which the steps are counted. */
export const SCHEMA_NAME = "dhruva";

export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE blobs (
    sha256 TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    state TEXT NOT NULL,
    touched_at INTEGER NOT NULL,
    loose INTEGER NOT NULL DEFAULT 1
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blobs_loose ON blobs (touched_at) WHERE loose = 1;
  CREATE INDEX blobs_corrupt ON blobs (state) WHERE state = 'corrupt';

  CREATE TABLE blob_totals (
    number INTEGER PRIMARY KEY CHECK (number = 1),
    blobs INTEGER NOT NULL,
    bytes INTEGER NOT NULL
  ) STRICT;
  INSERT INTO blob_totals (number, blobs, bytes) VALUES (1, 0, 0);
  CREATE TRIGGER blobs_added AFTER INSERT ON blobs BEGIN
    UPDATE blob_totals SET blobs = blobs + 1, bytes = bytes + NEW.size;
  END;
  CREATE TRIGGER blobs_removed AFTER DELETE ON blobs BEGIN
    UPDATE blob_totals SET blobs = blobs - 1, bytes = bytes - OLD.size;
  END;

  CREATE TABLE adapters (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    adapter_id TEXT NOT NULL UNIQUE,
    domain TEXT NOT NULL,
    key TEXT NOT NULL,
    provider TEXT NOT NULL,
    version TEXT NOT NULL,
    category TEXT,
    capabilities TEXT NOT NULL,
    factory_path TEXT,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    health_status TEXT NOT NULL DEFAULT 'unknown',
    health_error TEXT,
    last_health_check INTEGER
  ) STRICT;
  CREATE INDEX adapters_by_domain ON adapters (domain, number);
  CREATE INDEX adapters_by_content ON adapters (sha256);

  CREATE TABLE versions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    adapter_id TEXT NOT NULL REFERENCES adapters (adapter_id),
    version TEXT NOT NULL,
    record TEXT NOT NULL,
    changelog TEXT NOT NULL,
    sha256 TEXT NOT NULL REFERENCES blobs (sha256),
    size INTEGER NOT NULL,
    stored_at INTEGER NOT NULL,
    UNIQUE (adapter_id, version)
  ) STRICT;
  CREATE INDEX versions_by_adapter ON versions (adapter_id, number);
  CREATE INDEX versions_by_content ON versions (sha256);

  CREATE TABLE distributions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    distribution_id TEXT NOT NULL UNIQUE,
    adapter_id TEXT NOT NULL,
    version TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    size INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    ended_at INTEGER
  ) STRICT;
  CREATE INDEX distributions_open ON distributions (sha256) WHERE ended_at IS NULL;

  CREATE TABLE deliveries (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    distribution_id TEXT NOT NULL REFERENCES distributions (distribution_id),
    target TEXT NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending',
    attempts INTEGER NOT NULL DEFAULT 0,
    sha256 TEXT,
    error TEXT,
    next_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    UNIQUE (distribution_id, target)
  ) STRICT;
  CREATE INDEX deliveries_pending ON deliveries (next_at) WHERE status = 'pending';
  `,
];
