/**
 * Who has joined which diagram, in the database: one row for a user in a diagram on one connection.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";

export interface UserInfo {
  readonly name: string;
  readonly color: string;
}

/** What tells one join from another. */
export interface JoinKey {
  readonly diagram_id: string;
  /** The connection, or `NO_CONNECTION`. */
  readonly holder: string;
  readonly user_id: string;
}

export interface Join extends JoinKey, UserInfo {}

/** A user in a diagram, on however many connections. */
export interface PresentUser {
  readonly user_id: string;
  readonly user_info: UserInfo;
  readonly connections: number;
}

/** Holder of what was joined by HTTP and MCP. */
export const NO_CONNECTION = "";

const COLUMNS = "diagram_id, holder, user_id, name, color";

export class Joins {
  readonly #put: Statement;
  readonly #show: Statement;
  readonly #remove: Statement;
  readonly #find: Statement;
  readonly #of: Statement;
  readonly #users: Statement;
  readonly #byHolder: Statement;
  readonly #holders: Statement;
  readonly #all: Statement;
  readonly #counts: Statement;

  constructor(database: Database) {
    this.#put = database.prepare(
      `INSERT INTO joins (${COLUMNS}) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
    );
    this.#show = database.prepare(
      "UPDATE joins SET name = ?, color = ? WHERE diagram_id = ? AND user_id = ?",
    );
    this.#remove = database.prepare("DELETE FROM joins WHERE diagram_id = ? AND holder = ? AND user_id = ?");
    this.#find = database.prepare(
      `SELECT ${COLUMNS} FROM joins WHERE diagram_id = ? AND holder = ? AND user_id = ?`,
    );
    this.#of = database.prepare(`SELECT ${COLUMNS} FROM joins WHERE diagram_id = ? AND user_id = ? LIMIT 1`);
    this.#users = database.prepare(
      "SELECT user_id, name, color, count(*) AS connections FROM joins WHERE diagram_id = ? GROUP BY user_id " +
        "ORDER BY min(number)",
    );
    this.#byHolder = database.prepare(`SELECT ${COLUMNS} FROM joins WHERE holder = ? ORDER BY number`);
    this.#holders = database.prepare("SELECT DISTINCT holder FROM joins");
    this.#all = database.prepare(`SELECT ${COLUMNS} FROM joins ORDER BY number`);
    this.#counts = database.prepare(
      "SELECT (SELECT count(*) FROM joins) AS total, (SELECT count(*) FROM joins WHERE holder = ?) AS holder, " +
        "(SELECT count(DISTINCT user_id) FROM joins WHERE diagram_id = ?) AS users",
    );
  }

  put({ diagram_id, holder, user_id, name, color }: Join): void {
    this.#put.run(diagram_id, holder, user_id, name, color);
  }

  /** Show a user of a diagram with this name and colour from now on, on every connection. */
  show({ diagram_id, user_id, name, color }: Join): void {
    this.#show.run(name, color, diagram_id, user_id);
  }

  /** False where there was none. */
  remove({ diagram_id, holder, user_id }: JoinKey): boolean {
    return this.#remove.run(diagram_id, holder, user_id) > 0;
  }

  find({ diagram_id, holder, user_id }: JoinKey): Join | undefined {
    return this.#find.get<Join>(diagram_id, holder, user_id);
  }

  /** Any join of a user in a diagram: all of them have the same name and colour. */
  of({ diagram_id, user_id }: Omit<JoinKey, "holder">): Join | undefined {
    return this.#of.get<Join>(diagram_id, user_id);
  }

  /** Those who are in a diagram, as they came. */
  users(diagramId: string): PresentUser[] {
    const rows = this.#users.all<UserInfo & { user_id: string; connections: number }>(diagramId);
    return rows.map(({ user_id, name, color, connections }) => {
      return { user_id, user_info: { name, color }, connections: Number(connections) };
    });
  }

  byHolder(holder: string): Join[] {
    return this.#byHolder.all<Join>(holder);
  }

  holders(): string[] {
    return this.#holders.all<{ holder: string }>().map(({ holder }) => holder);
  }

  all(): Join[] {
    return this.#all.all<Join>();
  }

  /** Joins in all, those of one holder, and users of one diagram. */
  counts(holder: string, diagramId: string): { total: number; holder: number; users: number } {
    const row = this.#counts.get<Record<"total" | "holder" | "users", number>>(holder, diagramId);
    return {
      total: Number(row?.total ?? 0),
      holder: Number(row?.holder ?? 0),
      users: Number(row?.users ?? 0),
    };
  }
}
