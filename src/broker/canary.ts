/**
 * Finds out whether events get through: one goes by the pump to the broker and must come back to a listener. It is an
 * ephemeral event of a channel that no contract can have, so nobody is in it, no history keeps it and no metric counts
 * it. All that stays of it is a seq that no other event has.
 *
 * @module
 */
import { type Clock, timestamp } from "../ports/clock.ts";
import type { Journal } from "../ports/journal.ts";
import type { Log } from "../ports/log.ts";
import type { SequencedEvent } from "../protocol/event.ts";
import type { Broker } from "./broker.ts";

/** What the canary needs of the pump. */
export interface CanaryPump {
  push(events: readonly SequencedEvent[]): void;
  /** Whether the broker has not taken the event yet. */
  holds(event: SequencedEvent): boolean;
}

export interface CanaryOptions {
  readonly journal: Pick<Journal, "append">;
  readonly broker: Pick<Broker, "subscribe">;
  readonly pump: CanaryPump;
  readonly clock: Clock;
  readonly log: Log;
}

/** `reason` is a sentence for whoever asked. */
export type Verdict = { readonly alive: true } | { readonly alive: false; readonly reason: string };

/** Not a kind that `defineContract` takes. */
const CHANNEL = "$canary";
/** How long an event may be on its way, in milliseconds. */
const DEADLINE_MS = 2_000;
/** How long a verdict holds, in milliseconds: that many askers cannot make work of it. */
const FRESH_MS = 1_000;

const ALIVE: Verdict = { alive: true };
const CLOSED: Verdict = { alive: false, reason: "The broker is closed" };
const LOST: Verdict = {
  alive: false,
  reason: `An event did not come back from the broker within ${DEADLINE_MS / 1_000} seconds`,
};

export class Canary {
  readonly #options: CanaryOptions;
  #underWay: Promise<Verdict> | null = null;
  #last: { readonly verdict: Verdict; readonly at: number } | null = null;
  /** The event that was sent last. */
  #sent: SequencedEvent | null = null;
  /** Ends the wait under way. */
  #end: (verdict: Verdict) => void = () => {};
  #closed = false;
  #flightMs: number | null = null;

  constructor(options: CanaryOptions) {
    this.#options = options;
  }

  /**
   * Whether an event gets through now, or got through within the last second. Everybody who asks while one is under way
   * gets its verdict. Never rejects.
   */
  check(): Promise<Verdict> {
    const { clock } = this.#options;
    if (this.#closed) return Promise.resolve(CLOSED);
    if (this.#last && clock.monotonic() - this.#last.at < FRESH_MS) {
      return Promise.resolve(this.#last.verdict);
    }
    return this.#underWay ??= this.#fly().then((verdict) => {
      this.#underWay = null;
      if (!this.#closed) this.#note(verdict);
      return verdict;
    });
  }

  /** How long the last event took that came back, in milliseconds; null before the first. */
  get flightMs(): number | null {
    return this.#flightMs;
  }

  /** Whoever still waits is told that the broker is closed. */
  close(): void {
    this.#closed = true;
    this.#end(CLOSED);
  }

  #fly(): Promise<Verdict> {
    const { broker, clock } = this.#options;
    return new Promise((resolve) => {
      const started = clock.monotonic();
      let awaited: string | null = null;
      const leave = broker.subscribe(({ id }) => {
        if (id !== awaited) return;
        this.#flightMs = clock.monotonic() - started;
        this.#end(ALIVE);
      });
      const cancel = clock.after(DEADLINE_MS, () => this.#end(LOST));
      this.#end = (verdict) => {
        leave();
        cancel();
        resolve(verdict);
      };
      try {
        const event = this.#next();
        awaited = event.id;
        if (event !== this.#sent) this.#options.pump.push([this.#sent = event]);
      } catch (error) {
        this.#options.log.error("No event can be given a position", { error });
        this.#end({ alive: false, reason: "No event can be given a position: the log says why" });
      }
    });
  }

  /** A new event, or the last one while the broker has not even taken that: a broker that is stuck gathers no more. */
  #next(): SequencedEvent {
    const { journal, pump, clock } = this.#options;
    if (this.#sent && pump.holds(this.#sent)) return this.#sent;
    const [event] = journal.append([{
      id: crypto.randomUUID(),
      channel: CHANNEL,
      event: "canary",
      data: {},
      timestamp: timestamp(clock),
      ephemeral: true,
    }]);
    return event!;
  }

  #note(verdict: Verdict): void {
    const { clock, log } = this.#options;
    const before = this.#last?.verdict ?? ALIVE;
    if (before.alive && !verdict.alive) log.warn("Events do not get through", { reason: verdict.reason });
    if (!before.alive && verdict.alive) log.info("Events get through again");
    this.#last = { verdict, at: clock.monotonic() };
  }
}
