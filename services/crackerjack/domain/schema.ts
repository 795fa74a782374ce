/**
 * Tables of crackerjack, as migration steps. A step that has been released is never changed; a new one is added.
 *
 * Times are milliseconds since the Unix epoch. `number` grows with every row and orders lists; ids are for the world.
 *
 * @module
 */

/** Name under which the steps are counted. */
export const SCHEMA_NAME = "crackerjack";

export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    status TEXT NOT NULL,
    test_suite TEXT NOT NULL,
    command TEXT NOT NULL,
    given TEXT,
    filter TEXT,
    total INTEGER,
    done INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    errors INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER,
    signal TEXT,
    error TEXT,
    output_tail TEXT NOT NULL DEFAULT '',
    queued_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER,
    duration_seconds REAL,
    mark TEXT,
    folder TEXT
  ) STRICT;
  CREATE INDEX runs_by_project ON runs (project, number);
  CREATE INDEX runs_by_status ON runs (status, number);

  CREATE TABLE failures (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id TEXT NOT NULL REFERENCES runs (run_id) ON DELETE CASCADE,
    test_name TEXT NOT NULL,
    file TEXT,
    error TEXT NOT NULL,
    traceback TEXT
  ) STRICT;
  CREATE INDEX failures_by_run ON failures (run_id, number);

  CREATE TABLE coverage (
    project TEXT PRIMARY KEY,
    line_coverage REAL,
    branch_coverage REAL,
    path_coverage REAL,
    files INTEGER NOT NULL,
    format TEXT NOT NULL,
    run_id TEXT,
    updated_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE quality (
    project TEXT PRIMARY KEY,
    report TEXT NOT NULL,
    checked_at INTEGER NOT NULL
  ) STRICT;
  `,
  "ALTER TABLE runs ADD COLUMN passed INTEGER NOT NULL DEFAULT 0",
];
