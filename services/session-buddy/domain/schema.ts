/**
 * Tables of session-buddy, as migration steps. A step that has been released is never changed; a new one is added.
 *
 * Times are milliseconds since the Unix epoch. `number` grows with every row and orders lists; ids are for the world.
 *
 * @module
 */

/** Name under which the steps are counted. */
export const SCHEMA_NAME = "session-buddy";

export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE sessions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id TEXT NOT NULL UNIQUE,
    project TEXT NOT NULL,
    working_directory TEXT,
    user TEXT,
    context TEXT NOT NULL,
    version INTEGER NOT NULL,
    state TEXT NOT NULL,
    summary TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ended_at INTEGER,
    checkpoints INTEGER NOT NULL DEFAULT 0,
    knowledge_items INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX sessions_by_project ON sessions (project, number);
  CREATE INDEX sessions_by_state ON sessions (state, number);

  CREATE TABLE checkpoints (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    checkpoint_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (session_id),
    reason TEXT NOT NULL,
    quality_score REAL,
    git TEXT,
    version INTEGER NOT NULL,
    context TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX checkpoints_by_session ON checkpoints (session_id, number);

  CREATE TABLE knowledge (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    knowledge_id TEXT NOT NULL UNIQUE,
    session_id TEXT NOT NULL REFERENCES sessions (session_id),
    kind TEXT NOT NULL,
    content TEXT NOT NULL,
    labels TEXT NOT NULL,
    topics TEXT NOT NULL,
    confidence REAL,
    entities TEXT NOT NULL,
    relations TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX knowledge_by_session ON knowledge (session_id, number);

  CREATE VIRTUAL TABLE knowledge_text USING fts5 (
    content, labels,
    content = 'knowledge', content_rowid = 'number',
    tokenize = 'porter unicode61 remove_diacritics 2'
  );

  CREATE TABLE entities (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    type TEXT,
    mentions INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE relations (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    from_entity INTEGER NOT NULL REFERENCES entities (number),
    to_entity INTEGER NOT NULL REFERENCES entities (number),
    type TEXT NOT NULL,
    mentions INTEGER NOT NULL DEFAULT 0,
    UNIQUE (from_entity, to_entity, type)
  ) STRICT;
  CREATE INDEX relations_by_target ON relations (to_entity);
  `,
];
