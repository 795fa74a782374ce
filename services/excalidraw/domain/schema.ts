/**
 * Tables of excalidraw, as migration steps. A step that has been released is never changed; a new one is added.
 *
 * Times are milliseconds since the Unix epoch. `number` grows with every row and orders lists; ids are for the world.
 *
 * @module
 */

/** Name under which the steps are counted. */
export const SCHEMA_NAME = "excalidraw";

export const SCHEMA_STEPS: readonly string[] = [
  `
  CREATE TABLE diagrams (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    diagram_id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    version INTEGER NOT NULL,
    app_state TEXT NOT NULL,
    elements INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE elements (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    diagram_id TEXT NOT NULL REFERENCES diagrams (diagram_id),
    element_id TEXT NOT NULL,
    version INTEGER NOT NULL,
    nonce INTEGER NOT NULL,
    element TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    deleted_at INTEGER,
    UNIQUE (diagram_id, element_id)
  ) STRICT;
  CREATE INDEX elements_by_deletion ON elements (deleted_at) WHERE deleted_at IS NOT NULL;

  CREATE TABLE files (
    diagram_id TEXT NOT NULL REFERENCES diagrams (diagram_id),
    file_id TEXT NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (diagram_id, file_id)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE joins (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    diagram_id TEXT NOT NULL,
    holder TEXT NOT NULL,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    color TEXT NOT NULL,
    UNIQUE (diagram_id, user_id, holder)
  ) STRICT;
  CREATE INDEX joins_by_holder ON joins (holder);
  `,
];
