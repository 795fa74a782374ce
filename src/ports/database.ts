/**
 * An embedded SQL database with synchronous calls (SQLite). Synchronous on purpose: a commit, its events and the
 * snapshot read beside them then need no lock, since nothing else runs in between.
 *
 * @module
 */

export type SqlValue = string | number | bigint | null | Uint8Array;

export type Row = Record<string, SqlValue>;

export interface Statement {
  /** Run for its effect. Returns how many rows changed. */
  run(...parameters: SqlValue[]): number;
  /** The first row, or undefined. */
  get<R extends object = Row>(...parameters: SqlValue[]): R | undefined;
  /** All rows. */
  all<R extends object = Row>(...parameters: SqlValue[]): R[];
}

export interface Database {
  /** Run one or more statements without parameters. */
  exec(sql: string): void;
  prepare(sql: string): Statement;
  /** Write what is in the log to the file and let go of it. */
  close(): void;
}

/** A database that cannot be used. The message is one sentence for the operator: which file, what is wrong, what to do. */
export class DatabaseError extends Error {
  override readonly name = "DatabaseError";
}
