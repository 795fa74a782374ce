/**
 * The pools of the service: what they are told to be, what they say, and what is counted of them.
 *
 * @module
 */
import type { Clock } from "../../../src/ports/clock.ts";
import type { Log } from "../../../src/ports/log.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { Announcer } from "./announcer.ts";
import { Pool, type PoolFigures, type Task, type WorkerChange, type WorkerStatus } from "./pool.ts";
import type { PoolBounds, PoolRecords } from "./pool-records.ts";
import type { PoolSettings } from "./settings.ts";

/** At most two in a second. */
const ANNOUNCE_MS = 500;

export interface PoolStatus extends PoolFigures {
  readonly tasks_completed: number;
  readonly tasks_failed: number;
}

export interface PoolHead extends Omit<PoolStatus, "state"> {
  readonly pool_id: string;
  readonly name: string;
  readonly pool_type: "mahavishnu";
  readonly status: PoolFigures["state"];
  readonly workers: number;
}

export interface PoolView extends Omit<PoolStatus, "state"> {
  readonly pool_id: string;
  readonly status: PoolFigures["state"] | "not_found";
  readonly workers: string[];
  readonly total_workers: number;
  readonly queue_limit: number;
  readonly avg_task_duration: number;
  readonly auto_scale: boolean;
  readonly idle_seconds: number;
  readonly worker_status: { worker_id: string; status: WorkerStatus; task: Task | null }[];
}

export interface PoolsOptions {
  readonly settings: Readonly<Record<string, PoolSettings>>;
  readonly records: PoolRecords;
  readonly clock: Clock;
  readonly log: Log;
  readonly onWorker: (change: WorkerChange) => void;
  readonly onStatus: (poolId: string, status: PoolStatus) => void;
}

interface Entry {
  readonly pool: Pool;
  readonly settings: PoolSettings;
  readonly announcer: Announcer;
}

export class Pools {
  readonly #options: PoolsOptions;
  readonly #entries = new Map<string, Entry>();

  constructor(options: PoolsOptions) {
    this.#options = options;
    for (const [id, settings] of Object.entries(options.settings)) this.#open(id, settings);
  }

  get ids(): string[] {
    return [...this.#entries.keys()];
  }

  /** Bring every pool's workers up to its minimum. */
  fill(): void {
    for (const { pool, announcer } of this.#entries.values()) {
      pool.fill();
      announcer.changed();
    }
  }

  /** A pool; the first where the settings no longer know this one. */
  pool(id: string): Pool {
    const entry = this.#entries.get(id) ?? this.#entries.values().next().value;
    return entry!.pool;
  }

  /** @throws {Refusal} NOT_AVAILABLE where a pool's queue has no room for so many more */
  expectRoom(wanted: ReadonlyMap<string, number>): void {
    for (const [id, count] of wanted) {
      const { pool, settings } = this.#entries.get(id)!;
      const room = Math.max(0, settings.queue + pool.free - pool.queued);
      if (count <= room) continue;
      throw new Refusal(
        "NOT_AVAILABLE",
        `Pool '${id}' has room for ${room} more stages and this workflow begins with ${count}: try again later`,
      );
    }
  }

  /** A task of a pool has ended, in the transaction under way. */
  count(id: string, task: { readonly completed: boolean; readonly durationMs: number }): void {
    const entry = this.#entries.get(id) ?? this.#entries.values().next().value!;
    this.#options.records.count(entry.pool.id, task);
    entry.announcer.changed();
  }

  /** @throws {Refusal} NOT_FOUND */
  bounds(id: string): PoolBounds {
    return this.#require(id).pool.bounds;
  }

  /** Note new bounds, in the transaction under way. `apply` lets the pool follow. */
  setBounds(id: string, change: { readonly min?: number | null; readonly max?: number | null }): PoolBounds {
    const { pool } = this.#require(id);
    const bounds = { min: change.min ?? pool.bounds.min, max: change.max ?? pool.bounds.max };
    if (bounds.min > bounds.max || bounds.max < 1) {
      throw new Refusal(
        "INVALID_DATA",
        `Invalid field 'min': expected at most max, which is at least 1, got min ${bounds.min} and max ${bounds.max}`,
      );
    }
    this.#options.records.setBounds(id, bounds);
    return bounds;
  }

  apply(id: string, bounds: PoolBounds): void {
    this.#require(id).pool.scale(bounds);
  }

  list(): PoolHead[] {
    return [...this.#entries].map(([id, { pool }]) => {
      const { state, ...figures } = this.#status(pool);
      return {
        pool_id: id,
        name: id,
        pool_type: "mahavishnu",
        status: state,
        workers: figures.worker_count,
        ...figures,
      };
    });
  }

  /** A pool with its workers; status `not_found` and figures of 0 where there is none. */
  view(id: string): PoolView {
    const entry = this.#entries.get(id);
    if (!entry) return { ...NOTHING, pool_id: id };
    const { pool, settings } = entry;
    const { state, ...figures } = this.#status(pool);
    const { tasksCompleted, tasksFailed, busyMs } = this.#options.records.counts(id);
    const ended = tasksCompleted + tasksFailed;
    return {
      pool_id: id,
      status: state,
      workers: pool.workers.map((worker) => worker.id),
      ...figures,
      total_workers: figures.worker_count,
      queue_limit: settings.queue,
      avg_task_duration: ended === 0 ? 0 : busyMs / ended / 1_000,
      auto_scale: figures.min_workers < figures.max_workers,
      idle_seconds: settings.idle_ms / 1_000,
      worker_status: pool.workers.map(({ id, status, task }) => ({ worker_id: id, status: status!, task })),
    };
  }

  /** A worker of any pool, by its id. */
  worker(id: string): WorkerChange | null {
    for (const { pool } of this.#entries.values()) {
      const worker = pool.workers.find((worker) => worker.id === id);
      if (!worker) continue;
      const { status, task } = worker;
      return { worker_id: id, pool_id: pool.id, status: status!, previous: null, ...task ? { task } : {} };
    }
    return null;
  }

  /** Start nothing more. `close` says the last. */
  stop(): void {
    for (const { pool } of this.#entries.values()) pool.stop();
  }

  close(): void {
    for (const { announcer } of this.#entries.values()) announcer.close();
  }

  #open(id: string, settings: PoolSettings): void {
    const { records, clock, log, onWorker, onStatus } = this.#options;
    const announcer = new Announcer(clock, ANNOUNCE_MS, () => {
      try {
        onStatus(id, this.#status(pool));
      } catch (error) {
        log.error("The status of a pool could not be told", { pool: id, error });
      }
    });
    const pool = new Pool({
      id,
      bounds: records.open(id, settings),
      idleMs: settings.idle_ms,
      clock,
      onWorker: (change) => {
        try {
          onWorker(change);
        } catch (error) {
          log.error("The status of a worker could not be told", { worker: change.worker_id, error });
        }
      },
      onChange: () => announcer.changed(),
    });
    this.#entries.set(id, { pool, settings, announcer });
  }

  #status(pool: Pool): PoolStatus {
    const { tasksCompleted, tasksFailed } = this.#options.records.counts(pool.id);
    return { ...pool.figures(), tasks_completed: tasksCompleted, tasks_failed: tasksFailed };
  }

  #require(id: string): Entry {
    const entry = this.#entries.get(id);
    if (!entry) throw new Refusal("NOT_FOUND", `No pool '${id}': expected one of ${this.ids.join(", ")}`);
    return entry;
  }
}

const NOTHING: Omit<PoolView, "pool_id"> = {
  status: "not_found",
  workers: [],
  active_workers: 0,
  idle_workers: 0,
  worker_count: 0,
  queue_size: 0,
  tasks_completed: 0,
  tasks_failed: 0,
  min_workers: 0,
  max_workers: 0,
  total_workers: 0,
  queue_limit: 0,
  avg_task_duration: 0,
  auto_scale: false,
  idle_seconds: 0,
  worker_status: [],
};
