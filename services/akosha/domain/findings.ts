/**
 * A table of findings: rows of JSON under an id, the oldest dropped where there are too many.
 *
 * @module
 */
import type { Database, SqlValue, Statement } from "../../../src/ports/database.ts";

/** Rows dropped at a time, so that not every insert has to count. */
const SLACK = 64;

export interface FindingRow<T> {
  readonly number: number;
  readonly content: T;
}

export class Findings<T extends object> {
  readonly #kept: number;
  readonly #insert: Statement;
  readonly #update: Statement;
  readonly #find: Statement;
  readonly #prune: Statement;
  readonly #lists = new Map<string, Statement>();
  readonly #database: Database;
  readonly #table: string;

  /** @param columns those beside `id` and `content` */
  constructor(database: Database, table: string, columns: readonly string[], kept: number) {
    this.#database = database;
    this.#table = table;
    this.#kept = kept;
    const all = ["id", "content", ...columns];
    this.#insert = database.prepare(
      `INSERT INTO ${table} (${all.join(", ")}) VALUES (${all.map(() => "?").join(", ")})`,
    );
    this.#update = database.prepare(`UPDATE ${table} SET content = ? WHERE id = ?`);
    this.#find = database.prepare(`SELECT number, content FROM ${table} WHERE id = ?`);
    this.#prune = database.prepare(
      `DELETE FROM ${table} WHERE number <= (SELECT max(number) FROM ${table}) - ? AND number IN ` +
        `(SELECT number FROM ${table} ORDER BY number LIMIT ${SLACK})`,
    );
  }

  insert(id: string, content: T, ...columns: SqlValue[]): void {
    this.#insert.run(id, JSON.stringify(content), ...columns);
    this.#prune.run(this.#kept);
  }

  update(id: string, content: T): void {
    this.#update.run(JSON.stringify(content), id);
  }

  find(id: string): T | null {
    return this.#read(this.#find.all(id))[0]?.content ?? null;
  }

  /** Newest first. @param where conditions on columns */
  list(where: string, values: readonly SqlValue[], before: number, count: number): FindingRow<T>[] {
    const sql = `SELECT number, content FROM ${this.#table} WHERE number < ? ${where && `AND ${where} `}` +
      "ORDER BY number DESC LIMIT ?";
    let statement = this.#lists.get(sql);
    if (!statement) this.#lists.set(sql, statement = this.#database.prepare(sql));
    return this.#read(statement.all(before, ...values, count));
  }

  #read(rows: readonly object[]): FindingRow<T>[] {
    return (rows as { number: number; content: string }[]).map(({ number, content }) => ({
      number: Number(number),
      content: JSON.parse(content) as T,
    }));
  }
}
