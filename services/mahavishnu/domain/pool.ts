/**
 * A pool: workers that run one task at a time, as many as there is work for, between a minimum and a maximum.
 *
 * A worker is a place with a name that is used again. A waiting task without an idle worker brings a new one, up to the
 * maximum; one that was idle for long enough goes, down to the minimum.
 *
 * @module
 */
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import { FairQueue } from "./fair-queue.ts";
import type { PoolBounds } from "./pool-records.ts";

export type WorkerStatus =
  | "pending"
  | "starting"
  | "running"
  | "idle"
  | "completed"
  | "failed"
  | "timeout"
  | "cancelled";

export interface Task {
  readonly workflow_id: string;
  readonly stage_name: string;
  readonly attempt: number;
}

/** Work for a worker. */
export interface Job {
  /** Jobs of one owner take turns with those of others. */
  readonly owner: string;
  readonly task: () => Task;
  /**
   * Do it. Resolves, never rejects, when the worker is free again, with what follows from it: more work that follows
   * finds this worker free.
   */
  readonly work: (worker: Worker) => Promise<() => void>;
}

export interface WorkerChange {
  readonly worker_id: string;
  readonly pool_id: string;
  readonly status: WorkerStatus;
  readonly previous: WorkerStatus | null;
  readonly task?: Task;
}

export interface PoolFigures {
  readonly state: "running" | "scaling" | "stopped";
  readonly active_workers: number;
  readonly idle_workers: number;
  readonly worker_count: number;
  readonly queue_size: number;
  readonly min_workers: number;
  readonly max_workers: number;
}

export interface PoolOptions {
  readonly id: string;
  readonly bounds: PoolBounds;
  readonly idleMs: number;
  readonly clock: Clock;
  /** Hears of every change of a worker. Must not throw: the pool would lose the worker. */
  readonly onWorker: (change: WorkerChange) => void;
  /** Hears that the figures may have changed. */
  readonly onChange: () => void;
}

export class Worker {
  readonly id: string;
  readonly place: number;
  status: WorkerStatus | null = null;
  task: Task | null = null;
  idleTimer: Cancel | null = null;
  readonly #say: (worker: Worker, previous: WorkerStatus | null) => void;

  constructor(id: string, place: number, say: (worker: Worker, previous: WorkerStatus | null) => void) {
    this.id = id;
    this.place = place;
    this.#say = say;
  }

  become(status: WorkerStatus): void {
    const previous = this.status;
    this.status = status;
    this.#say(this, previous);
  }
}

export class Pool {
  readonly id: string;
  readonly #options: PoolOptions;
  readonly #queue = new FairQueue<Job>();
  /** By place, from 1. */
  readonly #workers = new Map<number, Worker>();
  readonly #idle = new Set<Worker>();
  #bounds: PoolBounds;
  #stopped = false;

  /** `fill` brings the minimum. */
  constructor(options: PoolOptions) {
    this.id = options.id;
    this.#options = options;
    this.#bounds = options.bounds;
  }

  get bounds(): PoolBounds {
    return this.#bounds;
  }

  get queued(): number {
    return this.#queue.size;
  }

  /** Tasks that would be taken at once. */
  get free(): number {
    return Math.max(0, this.#bounds.max - (this.#workers.size - this.#idle.size));
  }

  /** Workers in the order of their places. */
  get workers(): Worker[] {
    return [...this.#workers.values()].sort((a, b) => a.place - b.place);
  }

  figures(): PoolFigures {
    const { min, max } = this.#bounds;
    const count = this.#workers.size;
    return {
      state: this.#stopped ? "stopped" : count > max ? "scaling" : "running",
      active_workers: count - this.#idle.size,
      idle_workers: this.#idle.size,
      worker_count: count,
      queue_size: this.#queue.size,
      min_workers: min,
      max_workers: max,
    };
  }

  add(job: Job): void {
    if (this.#stopped) return;
    this.#queue.add(job.owner, job);
    this.#options.onChange();
    this.#assign();
  }

  /** Take back what an owner has in line. */
  drop(owner: string): void {
    this.#queue.drop(owner);
    this.#options.onChange();
  }

  scale(bounds: PoolBounds): void {
    this.#bounds = bounds;
    for (const worker of [...this.#idle].sort((a, b) => b.place - a.place)) {
      if (this.#workers.size > bounds.max) this.#retire(worker);
    }
    for (const worker of this.#idle) this.#watchIdle(worker);
    this.fill();
    this.#options.onChange();
  }

  /** Bring the workers up to the minimum. */
  fill(): void {
    while (!this.#stopped && this.#workers.size < this.#bounds.min) this.#rest(this.#hire());
    this.#assign();
  }

  /** Start nothing more; what is under way is not this method's to end. */
  stop(): void {
    this.#stopped = true;
    this.#queue.clear();
    for (const worker of this.#idle) worker.idleTimer?.();
    this.#options.onChange();
  }

  #assign(): void {
    while (!this.#stopped && this.#queue.size > 0) {
      const worker = this.#next();
      if (!worker) return;
      const job = this.#queue.take()!;
      this.#idle.delete(worker);
      worker.idleTimer?.();
      worker.idleTimer = null;
      worker.task = job.task();
      worker.become("starting");
      // Not within the transaction that may be under way.
      void Promise.resolve().then(() => job.work(worker)).then((follow) => this.#free(worker, follow));
    }
  }

  /** The idle worker of the lowest place, or a new one, or none. */
  #next(): Worker | undefined {
    let best: Worker | undefined;
    for (const worker of this.#idle) if (!best || worker.place < best.place) best = worker;
    if (best) return best;
    return this.#workers.size < this.#bounds.max ? this.#hire() : undefined;
  }

  #hire(): Worker {
    let place = 1;
    while (this.#workers.has(place)) place++;
    const { id, onWorker, onChange } = this.#options;
    const worker = new Worker(`${id}-${place}`, place, ({ status, task }, previous) => {
      onWorker({
        worker_id: `${id}-${place}`,
        pool_id: id,
        status: status!,
        previous,
        ...task ? { task } : {},
      });
      onChange();
    });
    this.#workers.set(place, worker);
    worker.become("pending");
    return worker;
  }

  #free(worker: Worker, follow: () => void): void {
    worker.task = null;
    if (!this.#stopped && this.#workers.size > this.#bounds.max) {
      this.#retire(worker);
      return follow();
    }
    this.#idle.add(worker);
    follow();
    // One that goes on at once was never idle.
    this.#assign();
    if (!this.#stopped && this.#idle.has(worker)) this.#rest(worker);
  }

  #rest(worker: Worker): void {
    this.#idle.add(worker);
    worker.become("idle");
    this.#watchIdle(worker);
  }

  #watchIdle(worker: Worker): void {
    worker.idleTimer?.();
    worker.idleTimer = this.#options.clock.after(this.#options.idleMs, () => {
      worker.idleTimer = null;
      if (this.#workers.size > this.#bounds.min) this.#retire(worker);
    });
  }

  #retire(worker: Worker): void {
    worker.idleTimer?.();
    worker.idleTimer = null;
    this.#idle.delete(worker);
    this.#workers.delete(worker.place);
    worker.become("completed");
  }
}
