/**
 * Hands committed events to the broker, in the order of their commits. A commit never waits for it and never hears of
 * its failures.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import type { SequencedEvent } from "../protocol/event.ts";

/** What the pump needs of a broker. See `Broker.publish`. */
export interface Publisher {
  publish(events: readonly SequencedEvent[], cause?: symbol): void | Promise<void>;
}

export interface PumpOptions {
  readonly broker: Publisher;
  readonly clock: Clock;
  readonly log: Log;
  /** Wait before the second try, in milliseconds; it doubles with each further one. @default 100 */
  readonly firstDelayMs?: number;
  /** Longest wait between two tries, in milliseconds. @default 5_000 */
  readonly maxDelayMs?: number;
}

interface Parcel {
  readonly events: readonly SequencedEvent[];
  readonly cause: symbol | undefined;
}

export class Pump {
  readonly #broker: Publisher;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #firstDelayMs: number;
  readonly #maxDelayMs: number;
  /** The first is on its way, or waits to be tried again. */
  #parcels: Parcel[] = [];
  #running = false;
  #stopped = false;
  #failures = 0;
  #cancelRetry: Cancel = () => {};
  #whenIdle: (() => void)[] = [];

  constructor(options: PumpOptions) {
    this.#broker = options.broker;
    this.#clock = options.clock;
    this.#log = options.log;
    this.#firstDelayMs = options.firstDelayMs ?? 100;
    this.#maxDelayMs = options.maxDelayMs ?? 5_000;
  }

  /** Events that the broker has not taken yet. */
  get waiting(): number {
    return this.#parcels.reduce((sum, { events }) => sum + events.length, 0);
  }

  /** Whether the broker has not taken the event yet. */
  holds(event: SequencedEvent): boolean {
    return this.#parcels.some(({ events }) => events.includes(event));
  }

  /**
   * Publish events that are committed. A broker that answers synchronously has them when this returns, unless it is
   * called from within its own delivery: then they follow what is being delivered. Never throws.
   *
   * @param cause identity of the call that caused them, for the listeners of this process
   */
  push(events: readonly SequencedEvent[], cause?: symbol): void {
    if (events.length === 0 || this.#stopped) return;
    this.#parcels.push({ events, cause });
    if (!this.#running) this.#run();
  }

  /** Resolves when the broker has taken everything. */
  idle(): Promise<void> {
    if (this.#parcels.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#whenIdle.push(resolve));
  }

  /** Try no more. What the broker has not taken stays in the journal only. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRetry();
    this.#parcels = [];
    this.#tellIdle();
  }

  /** Publish until all is published, or until there is something to wait for. */
  #run(): void {
    this.#running = true;
    let taken = 0;
    try {
      while (taken < this.#parcels.length) {
        const { events, cause } = this.#parcels[taken]!;
        const result = this.#broker.publish(events, cause);
        if (isPromise(result)) {
          this.#discard(taken);
          result.then(() => this.#succeeded(), (error) => this.#failed(error));
          return;
        }
        taken++;
      }
    } catch (error) {
      this.#discard(taken);
      this.#failed(error);
      return;
    }
    this.#discard(taken);
    this.#failures = 0;
    this.#running = false;
    this.#tellIdle();
  }

  #succeeded(): void {
    if (this.#stopped) return;
    if (this.#failures > 0) {
      this.#log.info("Events reach the broker again", { tries: this.#failures + 1, waiting: this.waiting });
    }
    this.#failures = 0;
    this.#discard(1);
    this.#run();
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    const delayMs = Math.min(this.#firstDelayMs * 2 ** this.#failures, this.#maxDelayMs);
    this.#failures++;
    this.#log.error("Cannot hand events to the broker: trying again", {
      tries: this.#failures,
      waiting: this.waiting,
      delay_ms: delayMs,
      error,
    });
    this.#cancelRetry = this.#clock.after(delayMs, () => this.#run());
  }

  #discard(count: number): void {
    this.#parcels = this.#parcels.slice(count);
  }

  #tellIdle(): void {
    const told = this.#whenIdle;
    this.#whenIdle = [];
    for (const resolve of told) resolve();
  }
}

function isPromise(value: unknown): value is PromiseLike<void> {
  return typeof (value as { then?: unknown } | undefined)?.then === "function";
}
