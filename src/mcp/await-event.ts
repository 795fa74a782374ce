/**
 * One wait for an event: first in the past, then live, without a hole or a repetition between the two.
 *
 * @module
 */
import type { SequencedEvent } from "../protocol/event.ts";
import type { McpHost } from "./host.ts";
import { type Beginning, beginningOf, PastEvents } from "./past-events.ts";
import type { ReadablePlace } from "./readable-place.ts";
import type { ReadingTurns } from "./reading-turns.ts";
import type { Missed } from "./told-event.ts";
import type { ToolContext } from "./tool.ts";

/** How often a client that asked for it is told that the call still waits. */
const PROGRESS_MS = 10_000;

/** The past may take longer than the caller would wait. It is looked through all the same, for at most so long. */
const LOOK_BACK_MS = 5_000;

export interface Wait {
  readonly host: McpHost;
  readonly place: ReadablePlace;
  /** Shared by all who read the past of the service. */
  readonly turns: ReadingTurns;
  readonly timeoutMs: number;
  readonly context: ToolContext;
  /** Must not throw. */
  readonly isWanted: (event: SequencedEvent) => boolean;
}

export type WaitEnd =
  | { readonly outcome: "matched"; readonly event: SequencedEvent; readonly missed: Missed | null }
  /** Nothing up to `seq`. */
  | { readonly outcome: "timeout"; readonly seq: number; readonly missed: Missed | null }
  | { readonly outcome: "truncated"; readonly missed: Missed }
  /** The service stops, or its history cannot be read. */
  | { readonly outcome: "unavailable" }
  /** Nobody waits for the answer any more. */
  | { readonly outcome: "cancelled" };

/** Resolves in any case: at the latest when the time is over. Rejects where reading the past fails. */
export function awaitEvent(wait: Wait): Promise<WaitEnd> {
  if (wait.context.signal.aborted) return Promise.resolve({ outcome: "cancelled" });
  return new Promise((resolve, reject) => new Waiter(wait, resolve, reject).begin());
}

class Waiter {
  readonly #wait: Wait;
  readonly #resolve: (end: WaitEnd) => void;
  readonly #reject: (error: unknown) => void;
  /** How to let go of all that the wait holds. */
  readonly #held: (() => void)[] = [];
  #isOver = false;
  /** The first that was heard since the wait began. All of the past comes before it. */
  #heard: SequencedEvent | null = null;
  #isLookingBack = true;
  /** The time is over, and the past not yet looked through. */
  #isLate = false;
  #past: PastEvents | null = null;
  #missed: Missed | null = null;

  constructor(wait: Wait, resolve: (end: WaitEnd) => void, reject: (error: unknown) => void) {
    this.#wait = wait;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  begin(): void {
    const { host, place, timeoutMs, context: { signal } } = this.#wait;
    const { clock, watches } = host;
    const cancel = () => this.#end({ outcome: "cancelled" });
    signal.addEventListener("abort", cancel);
    this.#held.push(
      () => signal.removeEventListener("abort", cancel),
      watches.onStop(() => this.#end({ outcome: "unavailable" })),
      watches.watch(place, (event) => this.#hear(event)),
    );
    if (timeoutMs > 0) this.#held.push(clock.after(timeoutMs, () => this.#late()));
    else this.#late();
    this.#tellProgress();
    // In the turn that began to watch: what is heard comes after the position that this finds.
    this.#lookBack(beginningOf(place)).catch((error) => {
      this.#letGo();
      this.#reject(error);
    });
  }

  #tellProgress(): void {
    const { host: { clock }, place, timeoutMs, context: { progress } } = this.#wait;
    if (!progress) return;
    const begun = clock.monotonic();
    this.#held.push(clock.every(PROGRESS_MS, () => {
      const seconds = Math.round((clock.monotonic() - begun) / 1000);
      void progress(seconds, timeoutMs / 1000, `Waiting for an event of ${place.name}`);
    }));
  }

  #hear(event: SequencedEvent): void {
    if (this.#heard || this.#isOver || !this.#wait.isWanted(event)) return;
    this.#heard = event;
    if (!this.#isLookingBack) this.#match(event);
  }

  async #lookBack(beginning: Promise<Beginning>): Promise<void> {
    const { place, turns, isWanted } = this.#wait;
    const begun = await beginning;
    if (begun.missed && !place.spec.ephemeral) {
      return this.#end({ outcome: "truncated", missed: begun.missed });
    }
    this.#missed = begun.missed;
    const past = this.#past = new PastEvents(place, begun, turns, () => this.#isOver);
    let isUntouched = place.since === "start";
    for (let piece = await past.next(); piece; piece = await past.next()) {
      if (this.#isOver) return;
      if ("events" in piece) {
        const found = piece.events.find(isWanted);
        if (found) return this.#match(found);
        isUntouched = false;
      } else if (!isUntouched) {
        return this.#end({ outcome: "truncated", missed: piece.missed });
      }
      // Otherwise what is kept begins later than it did a moment ago.
    }
    if (this.#isOver) return;
    this.#isLookingBack = false;
    if (this.#heard) this.#match(this.#heard);
    else if (this.#isLate) this.#timeOut(place.channels.position.seq);
  }

  #late(): void {
    const { host, place } = this.#wait;
    if (!this.#isLookingBack) return this.#timeOut(place.channels.position.seq);
    this.#isLate = true;
    this.#held.push(host.clock.after(LOOK_BACK_MS, () => {
      if (this.#past) this.#timeOut(this.#past.cursor);
      else this.#end({ outcome: "unavailable" });
    }));
  }

  #match(event: SequencedEvent): void {
    this.#end({ outcome: "matched", event, missed: this.#missed });
  }

  #timeOut(seq: number): void {
    this.#end({ outcome: "timeout", seq, missed: this.#missed });
  }

  #end(end: WaitEnd): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#resolve(end);
  }

  #letGo(): void {
    this.#isOver = true;
    for (const release of this.#held) release();
  }
}
