/**
 * Diagrams in the database, without their elements, and the data of their images.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { type JsonObject, parseJson, stringifyJson } from "../../../src/protocol/json.ts";
import { utf8Length } from "../../../src/protocol/utf8.ts";
import { type Page, readPage } from "../../../src/storage/pages.ts";

/** A diagram without its elements. Times are ISO 8601. */
export interface DiagramHead {
  readonly diagram_id: string;
  readonly title: string;
  readonly version: number;
  readonly element_count: number;
  readonly deleted_count: number;
  readonly bytes: number;
  readonly created_at: string;
  readonly updated_at: string;
}

/** How far a change makes a diagram's figures grow; each may be negative. */
export interface Growth {
  readonly elements: number;
  readonly deleted: number;
  readonly bytes: number;
}

interface Row {
  number: number;
  diagram_id: string;
  title: string;
  version: number;
  elements: number;
  deleted: number;
  bytes: number;
  created_at: number;
  updated_at: number;
}

const COLUMNS = "number, diagram_id, title, version, elements, deleted, bytes, created_at, updated_at";

export class Diagrams {
  readonly #insert: Statement;
  readonly #find: Statement;
  readonly #appState: Statement;
  readonly #grow: Statement;
  readonly #raise: Statement;
  readonly #list: Statement;
  readonly #count: Statement;
  readonly #totals: Statement;
  readonly #files: Statement;
  readonly #addFile: Statement;

  constructor(database: Database) {
    this.#insert = database.prepare(
      "INSERT INTO diagrams (diagram_id, title, version, app_state, bytes, created_at, updated_at) " +
        "VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (diagram_id) DO NOTHING",
    );
    this.#find = database.prepare(`SELECT ${COLUMNS} FROM diagrams WHERE diagram_id = ?`);
    this.#appState = database.prepare("SELECT app_state FROM diagrams WHERE diagram_id = ?");
    this.#grow = database.prepare(
      "UPDATE diagrams SET elements = elements + ?, deleted = deleted + ?, bytes = bytes + ? WHERE diagram_id = ?",
    );
    this.#raise = database.prepare(
      "UPDATE diagrams SET version = version + 1, updated_at = ? WHERE diagram_id = ?",
    );
    this.#list = database.prepare(
      `SELECT ${COLUMNS} FROM diagrams WHERE number < ? ORDER BY number DESC LIMIT ?`,
    );
    this.#count = database.prepare("SELECT count(*) AS count FROM diagrams");
    this.#totals = database.prepare(
      "SELECT count(*) AS diagrams, coalesce(sum(elements), 0) AS elements, coalesce(sum(bytes), 0) AS bytes " +
        "FROM diagrams",
    );
    this.#files = database.prepare("SELECT file_id, file FROM files WHERE diagram_id = ? ORDER BY file_id");
    this.#addFile = database.prepare(
      "INSERT INTO files (diagram_id, file_id, file) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
  }

  /** @throws {Refusal} CONFLICT where the id is taken */
  insert(id: string, title: string, appState: JsonObject, now: number): DiagramHead {
    const text = stringifyJson(appState);
    if (this.#insert.run(id, title, text, utf8Length(text), now, now) === 0) {
      throw new Refusal(
        "CONFLICT",
        `Diagram '${id}' exists already: choose another id, or leave it out`,
      );
    }
    return this.require(id);
  }

  find(id: string): DiagramHead | undefined {
    const row = this.#find.get<Row>(id);
    return row && head(row);
  }

  /** @throws {Refusal} NOT_FOUND */
  require(id: string): DiagramHead {
    const diagram = this.find(id);
    if (!diagram) throw new Refusal("NOT_FOUND", `No diagram '${id}'`);
    return diagram;
  }

  grow(id: string, { elements, deleted, bytes }: Growth): void {
    this.#grow.run(elements, deleted, bytes, id);
  }

  /** Make the present state the next version. */
  raise(id: string, now: number): DiagramHead {
    this.#raise.run(now, id);
    return this.require(id);
  }

  /** Newest first. */
  list(cursor: string | null | undefined, limit: number): Page<DiagramHead> {
    const page = readPage("diagrams", cursor, limit, (before, count) => this.#list.all<Row>(before, count));
    return { ...page, rows: page.rows.map(head) };
  }

  count(): number {
    return Number(this.#count.get<{ count: number }>()?.count ?? 0);
  }

  totals(): { diagrams: number; elements: number; bytes: number } {
    const row = this.#totals.get<Record<"diagrams" | "elements" | "bytes", number>>();
    return {
      diagrams: Number(row?.diagrams ?? 0),
      elements: Number(row?.elements ?? 0),
      bytes: Number(row?.bytes ?? 0),
    };
  }

  appState(id: string): JsonObject {
    return readObject(this.#appState.get<{ app_state: string }>(id)?.app_state ?? "{}");
  }

  files(id: string): JsonObject {
    const rows = this.#files.all<{ file_id: string; file: string }>(id);
    return Object.fromEntries(rows.map(({ file_id, file }) => [file_id, readObject(file)]));
  }

  /** Add those that are not there. An id names its content, so one that is there stays. Returns what it adds. */
  addFiles(id: string, files: ReadonlyMap<string, JsonObject>): { added: number; bytes: number } {
    let [added, bytes] = [0, 0];
    for (const [fileId, file] of files) {
      const text = stringifyJson(file);
      if (this.#addFile.run(id, fileId, text) === 0) continue;
      added++;
      bytes += utf8Length(text) + utf8Length(JSON.stringify(fileId)) + 2;
    }
    return { added, bytes };
  }
}

/** Read what `stringifyJson` wrote of an object. */
export function readObject(text: string): JsonObject {
  const result = parseJson(text);
  if (!result.ok) throw new Error(`Cannot read what was stored: ${result.reason}`);
  return result.value as JsonObject;
}

function head(row: Row): DiagramHead {
  return {
    diagram_id: row.diagram_id,
    title: row.title,
    version: Number(row.version),
    element_count: Number(row.elements) - Number(row.deleted),
    deleted_count: Number(row.deleted),
    bytes: Number(row.bytes),
    created_at: new Date(Number(row.created_at)).toISOString(),
    updated_at: new Date(Number(row.updated_at)).toISOString(),
  };
}
