/**
 * What is kept of pools: their bounds where somebody has scaled them, and their counts.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import type { PoolSettings } from "./settings.ts";

export interface PoolBounds {
  readonly min: number;
  readonly max: number;
}

export interface PoolCounts {
  readonly tasksCompleted: number;
  readonly tasksFailed: number;
  /** Milliseconds of all tasks together. */
  readonly busyMs: number;
}

interface PoolRow {
  min: number;
  max: number;
  settings_min: number;
  settings_max: number;
  tasks_completed: number;
  tasks_failed: number;
  busy_ms: number;
}

export class PoolRecords {
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #setBounds: Statement;
  readonly #count: Statement;

  constructor(database: Database) {
    this.#find = database.prepare("SELECT * FROM pools WHERE pool_id = ?");
    this.#insert = database.prepare(
      "INSERT INTO pools (pool_id, min, max, settings_min, settings_max) VALUES (?, ?, ?, ?, ?) " +
        "ON CONFLICT (pool_id) DO UPDATE SET min = excluded.min, max = excluded.max, " +
        "settings_min = excluded.settings_min, settings_max = excluded.settings_max",
    );
    this.#setBounds = database.prepare("UPDATE pools SET min = ?, max = ? WHERE pool_id = ?");
    this.#count = database.prepare(
      "UPDATE pools SET tasks_completed = tasks_completed + ?, tasks_failed = tasks_failed + ?, " +
        "busy_ms = busy_ms + ? WHERE pool_id = ?",
    );
  }

  /** What holds for a pool. Bounds that somebody has set hold until the settings say something new. */
  open(id: string, { min, max }: PoolSettings): PoolBounds {
    const row = this.#find.get<PoolRow>(id);
    const isSame = row && Number(row.settings_min) === min && Number(row.settings_max) === max;
    if (isSame) return { min: Number(row.min), max: Number(row.max) };
    this.#insert.run(id, min, max, min, max);
    return { min, max };
  }

  counts(id: string): PoolCounts {
    const row = this.#find.get<PoolRow>(id);
    return {
      tasksCompleted: Number(row?.tasks_completed ?? 0),
      tasksFailed: Number(row?.tasks_failed ?? 0),
      busyMs: Number(row?.busy_ms ?? 0),
    };
  }

  setBounds(id: string, { min, max }: PoolBounds): void {
    this.#setBounds.run(min, max, id);
  }

  count(id: string, task: { readonly completed: boolean; readonly durationMs: number }): void {
    this.#count.run(task.completed ? 1 : 0, task.completed ? 0 : 1, task.durationMs, id);
  }
}
