/**
 * The SQLite engines behind `Database`: `node:sqlite` where the runtime has it (Node 22.13 and later, Deno, Bun), the
 * `libsql` package otherwise (Node 20).
 *
 * @module
 */
import process from "node:process";
import type { Database, Row, SqlValue, Statement } from "../ports/database.ts";

/** What both engines have in common. */
interface Engine {
  exec(sql: string): unknown;
  prepare(sql: string): EngineStatement;
  close(): void;
}

interface EngineStatement {
  run(...parameters: unknown[]): { changes: number | bigint };
  get(...parameters: unknown[]): unknown;
  all(...parameters: unknown[]): unknown[];
}

/** Where the engines differ. */
interface Dialect {
  bind(parameters: SqlValue[]): unknown[];
  plain(row: unknown): unknown;
}

const BUILTIN: Dialect = { bind: (parameters) => parameters, plain: (row) => row };

const LIBSQL: Dialect = {
  // In a list, since it takes a single null or blob for an object with named parameters.
  bind: (parameters) => [parameters],
  plain: plainRow,
};

type EngineClass = new (path: string) => Engine;

/** Opens a file. Throws what the engine throws. */
export type OpenEngine = (path: string) => Database;

/** Find an engine. Rejects where there is none. */
export async function sqliteEngine(): Promise<OpenEngine> {
  const builtin = process.getBuiltinModule?.("node:sqlite") as { DatabaseSync: EngineClass } | undefined;
  if (builtin) return (path) => wrap(new builtin.DatabaseSync(path), BUILTIN);
  // A name put together at run time, since a bundler would try to take the native addon along, and a type checker to
  // find it on runtimes that do not need it.
  const name = ["lib", "sql"].join("");
  const { default: Engine } = await import(name) as { default: EngineClass };
  return (path) => wrap(new Engine(path), LIBSQL);
}

/** `libsql` adds a field of its own to the rows of `get`, and gives the blobs of `all` as ArrayBuffer. */
function plainRow(row: unknown): unknown {
  const plain = row as Record<string, unknown>;
  delete plain["_metadata"];
  for (const key in plain) {
    const value = plain[key];
    if (value instanceof ArrayBuffer) plain[key] = new Uint8Array(value);
  }
  return plain;
}

function wrap(engine: Engine, dialect: Dialect): Database {
  return {
    exec: (sql) => void engine.exec(sql),
    prepare: (sql) => statement(engine.prepare(sql), dialect),
    close: () => engine.close(),
  };
}

function statement(prepared: EngineStatement, { bind, plain }: Dialect): Statement {
  return {
    run: (...parameters) => Number(prepared.run(...bind(parameters)).changes),
    get<R extends object = Row>(...parameters: SqlValue[]): R | undefined {
      const row = prepared.get(...bind(parameters));
      return row === undefined || row === null ? undefined : plain(row) as R;
    },
    all<R extends object = Row>(...parameters: SqlValue[]): R[] {
      return prepared.all(...bind(parameters)).map(plain) as R[];
    },
  };
}
