/**
 * Telling of changed resources at a bounded pace: the first change at the end of its tick, then at most once in a while,
 * and the last one always. All subscriptions share one timer, and one that nothing happens to costs nothing.
 *
 * @module
 */
import type { Cancel, Clock } from "../ports/clock.ts";

/** Between two updates of one subscription. */
const PAUSE_MS = 100;
/** Told before others have their turn: each goes through a session's stream, and that takes a while. */
const AT_ONCE = 4;

/** @param traceparent Of the last event that had one. */
type Tell = (traceparent: string | undefined) => void;

interface Told {
  readonly tell: Tell;
  /** Monotonic; told again not before. */
  restsUntil: number;
  /** Something has happened that it has not been told of. */
  changed: boolean;
  traceparent: string | undefined;
  stopped: boolean;
}

export interface PacedUpdates {
  changed(event: { readonly traceparent?: string | undefined }): void;
  /** Harmless twice. */
  stop(): void;
}

export class ResourceUpdates {
  readonly #clock: Clock;
  /** To be told when the tick ends, so that whoever is connected by WebSocket gets the event first. */
  readonly #due: Told[] = [];
  #isScheduled = false;
  /** Told a short time ago. All rest for the same time, so the first is the next. */
  readonly #resting = new Set<Told>();
  #timer: Cancel | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @param tell Must not throw. */
  add(tell: Tell): PacedUpdates {
    const one: Told = { tell, restsUntil: 0, changed: false, traceparent: undefined, stopped: false };
    return {
      changed: ({ traceparent }) => {
        if (traceparent !== undefined) one.traceparent = traceparent;
        if (one.changed || one.stopped) return;
        one.changed = true;
        if (!this.#resting.has(one)) this.#tellSoon(one);
      },
      stop: () => {
        one.stopped = true;
        this.#resting.delete(one);
        if (this.#resting.size > 0) return;
        this.#timer?.();
        this.#timer = null;
      },
    };
  }

  #tellSoon(one: Told): void {
    this.#due.push(one);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#clock.endOfTick(() => this.#tellSome());
  }

  #tellSome(): void {
    this.#isScheduled = false;
    const now = this.#clock.monotonic();
    for (const one of this.#due.splice(0, AT_ONCE)) {
      if (one.stopped) continue;
      one.changed = false;
      one.restsUntil = now + PAUSE_MS;
      this.#resting.add(one);
      const { traceparent } = one;
      one.traceparent = undefined;
      one.tell(traceparent);
    }
    if (this.#due.length > 0) this.#schedule();
    this.#wait(now);
  }

  #wait(now: number): void {
    const [next] = this.#resting;
    if (next) this.#timer ??= this.#clock.after(next.restsUntil - now, () => this.#wake());
  }

  #wake(): void {
    this.#timer = null;
    const now = this.#clock.monotonic();
    for (const one of this.#resting) {
      if (one.restsUntil > now) break;
      this.#resting.delete(one);
      if (one.changed) this.#tellSoon(one);
    }
    this.#wait(now);
  }
}
