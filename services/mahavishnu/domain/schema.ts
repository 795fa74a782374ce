/**
 * Tables of mahavishnu, as migration steps. A step that has been released is never changed; a new one is added.
 *
 * Times are milliseconds since the Unix epoch. `number` grows with every row and orders lists; ids are for the world.
 *
 * @module
 */

/** Name under which the steps are counted. */
export const SCHEMA_NAME = "mahavishnu";

export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE workflows (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    workflow_id TEXT NOT NULL UNIQUE,
    definition TEXT NOT NULL,
    document TEXT NOT NULL,
    inputs TEXT NOT NULL,
    status TEXT NOT NULL,
    error TEXT,
    failed_stage TEXT,
    stages_completed INTEGER NOT NULL DEFAULT 0,
    total_stages INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    started_at INTEGER,
    ended_at INTEGER
  ) STRICT;
  CREATE INDEX workflows_by_status ON workflows (status, number);
  CREATE INDEX workflows_by_definition ON workflows (definition, number);

  CREATE TABLE stages (
    workflow INTEGER NOT NULL REFERENCES workflows (number),
    position INTEGER NOT NULL,
    name TEXT NOT NULL,
    status TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    exit_code INTEGER,
    signal TEXT,
    duration_ms INTEGER,
    output TEXT NOT NULL DEFAULT '',
    total_bytes INTEGER NOT NULL DEFAULT 0,
    omitted_bytes INTEGER NOT NULL DEFAULT 0,
    output_tail TEXT NOT NULL DEFAULT '',
    worker_id TEXT,
    started_at INTEGER,
    ended_at INTEGER,
    PRIMARY KEY (workflow, position)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE children (
    pid INTEGER NOT NULL,
    started_at TEXT NOT NULL,
    PRIMARY KEY (pid, started_at)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE pools (
    pool_id TEXT PRIMARY KEY,
    min INTEGER NOT NULL,
    max INTEGER NOT NULL,
    settings_min INTEGER NOT NULL,
    settings_max INTEGER NOT NULL,
    tasks_completed INTEGER NOT NULL DEFAULT 0,
    tasks_failed INTEGER NOT NULL DEFAULT 0,
    busy_ms INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  `,
];
