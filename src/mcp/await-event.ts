/**
 * One wait for an event: first in the past, then live, without a hole or a repetition between the two.
 *
 * @module
 */
import type { SequencedEvent } from "../protocol/event.ts";
import type { McpHost } from "./host.ts";
import { type Beginning, beginningOf, PastEvents } from "./past-events.ts";
import type { ReadablePlace } from "./readable-place.ts";
import type { Missed } from "./told-event.ts";
import type { ToolContext } from "./tool.ts";

/** How often a client that asked for it is told that the call still waits. */
export const PROGRESS_MS = 10_000;

/** The past may take longer than the caller would wait. It is looked through all the same, for at most so long. */
export const LOOK_BACK_MS = 5_000;

export interface Wait {
  readonly host: McpHost;
  readonly place: ReadablePlace;
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
  /** The service stops. */
  | { readonly outcome: "stopped" }
  /** Nobody waits for the answer any more. */
  | { readonly outcome: "cancelled" };

/** Resolves in any case: at the latest when the time is over. Rejects where the past cannot be read. */
export function awaitEvent({ host, place, timeoutMs, context, isWanted }: Wait): Promise<WaitEnd> {
  const { clock, watches } = host;
  const { signal, progress } = context;
  if (signal.aborted) return Promise.resolve({ outcome: "cancelled" });
  return new Promise((resolve, reject) => {
    /** How to let go of everything. */
    const held: (() => void)[] = [];
    let isOver = false;
    /** The first that was heard since the wait began. What the past holds comes before it. */
    let heard: SequencedEvent | null = null;
    let isLookingBack = true;
    /** The time is over, and the past not yet looked through. */
    let isLate = false;
    let missed: Missed | null = null;
    let past: PastEvents | null = null;

    const letGo = (): void => {
      isOver = true;
      for (const release of held) release();
    };
    const end = (how: WaitEnd): void => {
      if (isOver) return;
      letGo();
      resolve(how);
    };
    const timeOut = (seq: number) => end({ outcome: "timeout", seq, missed });
    /** The past could not be read in time. */
    const unfinished = (): WaitEnd =>
      past ? { outcome: "timeout", seq: past.cursor, missed } : { outcome: "stopped" };
    const matched = (event: SequencedEvent) => end({ outcome: "matched", event, missed });

    held.push(
      watches.watch(place, (event) => {
        if (heard || isOver || !isWanted(event)) return;
        heard = event;
        if (!isLookingBack) matched(event);
      }),
      watches.onStop(() => end({ outcome: "stopped" })),
    );
    const late = (): void => {
      if (!isLookingBack) return timeOut(place.channels.position.seq);
      isLate = true;
      held.push(clock.after(LOOK_BACK_MS, () => end(unfinished())));
    };
    if (timeoutMs > 0) held.push(clock.after(timeoutMs, late));
    else late();
    const cancel = () => end({ outcome: "cancelled" });
    signal.addEventListener("abort", cancel);
    held.push(() => signal.removeEventListener("abort", cancel));
    if (progress) {
      const begun = clock.monotonic();
      held.push(clock.every(PROGRESS_MS, () => {
        const seconds = Math.round((clock.monotonic() - begun) / 1000);
        void progress(seconds, timeoutMs / 1000, `Waiting for an event of ${place.name}`);
      }));
    }

    const lookBack = async (beginning: Promise<Beginning>): Promise<void> => {
      const begun = await beginning;
      if (isOver) return;
      if (begun.missed && !place.spec.ephemeral) return end({ outcome: "truncated", missed: begun.missed });
      missed = begun.missed;
      past = new PastEvents(place, begun, clock);
      let isUntouched = place.since === "start";
      for (let piece = await past.next(); piece && !isOver; piece = await past.next()) {
        if ("missed" in piece) {
          // What is kept begins later than it did a moment ago.
          if (isUntouched) continue;
          return end({ outcome: "truncated", missed: piece.missed });
        }
        isUntouched = false;
        const found = piece.events.find(isWanted);
        if (found) return matched(found);
      }
      if (isOver) return;
      isLookingBack = false;
      if (heard) matched(heard);
      else if (isLate) timeOut(place.channels.position.seq);
    };
    // In the turn that began to watch: what is heard comes after the position that it finds.
    lookBack(beginningOf(place)).catch((error) => {
      if (isOver) return;
      letGo();
      reject(error);
    });
  });
}
