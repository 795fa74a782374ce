/**
 * A query with optional conditions, prepared once for each combination of them.
 *
 * @module
 */
import type { Database, SqlValue, Statement } from "../../../src/ports/database.ts";

/** Columns that must equal a value; what is null or undefined is no condition. */
export type Filter<Column extends string> = { readonly [C in Column]?: string | null | undefined };

export class FilteredQuery<Column extends string> {
  readonly #columns: readonly Column[];
  /** By the set of columns, as bits. */
  readonly #statements: readonly Statement[];

  /** @param sql the query, with the conditions (`AND project = ? AND state = ? `, or nothing) put in */
  constructor(database: Database, columns: readonly Column[], sql: (conditions: string) => string) {
    this.#columns = columns;
    this.#statements = Array.from({ length: 2 ** columns.length }, (_, set) => {
      const conditions = columns.filter((_, index) => set & 2 ** index).map((column) => `AND ${column} = ? `);
      return database.prepare(sql(conditions.join("")));
    });
  }

  /** @param before values of the parameters that stand before the conditions; `after` likewise */
  all<R extends object>(
    before: readonly SqlValue[],
    filter: Filter<Column>,
    after: readonly SqlValue[],
  ): R[] {
    let set = 0;
    const values: SqlValue[] = [];
    for (const [index, column] of this.#columns.entries()) {
      const value = filter[column];
      if (value === null || value === undefined) continue;
      set += 2 ** index;
      values.push(value);
    }
    return this.#statements[set]?.all<R>(...before, ...values, ...after) ?? [];
  }
}
