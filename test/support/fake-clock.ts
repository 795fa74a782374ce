/**
 * A clock that stands still until a test moves it.
 *
 * @module
 */
import type { Cancel, Clock } from "../../src/ports/clock.ts";

interface Task {
  due: number;
  readonly order: number;
  readonly intervalMs: number | null;
  readonly work: () => void;
}

export class FakeClock implements Clock {
  #elapsed = 0;
  #order = 0;
  readonly #start: number;
  readonly #tasks = new Set<Task>();
  #atEndOfTick: (() => void)[] = [];

  constructor(start = Date.UTC(2026, 0, 1)) {
    this.#start = start;
  }

  now(): number {
    return this.#start + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(delayMs: number, work: () => void): Cancel {
    return this.#schedule(delayMs, null, work);
  }

  every(intervalMs: number, work: () => void): Cancel {
    return this.#schedule(intervalMs, intervalMs, work);
  }

  endOfTick(work: () => void): void {
    this.#atEndOfTick.push(work);
  }

  /** Timers that wait to run. */
  get pending(): number {
    return this.#tasks.size;
  }

  /** Run what waits for the end of the tick, and what that schedules in turn. */
  tick(): void {
    while (this.#atEndOfTick.length > 0) {
      const due = this.#atEndOfTick;
      this.#atEndOfTick = [];
      for (const work of due) work();
    }
  }

  /** Move on by `ms`, running every timer at its moment. */
  advance(ms: number): void {
    const end = this.#elapsed + ms;
    this.tick();
    for (;;) {
      const next = [...this.#tasks].filter((task) => task.due <= end)
        .sort((a, b) => a.due - b.due || a.order - b.order)[0];
      if (!next) break;
      this.#elapsed = next.due;
      if (next.intervalMs === null) this.#tasks.delete(next);
      else next.due += next.intervalMs;
      next.work();
      this.tick();
    }
    this.#elapsed = end;
  }

  #schedule(delayMs: number, intervalMs: number | null, work: () => void): Cancel {
    const task: Task = { due: this.#elapsed + delayMs, order: this.#order++, intervalMs, work };
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }
}
