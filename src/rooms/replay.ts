/**
 * Brings a subscription from a position in the past to the present, then lets it go live. Reads as fast as the
 * member's socket takes it, so a replay is never slow reading; live events meanwhile stay in the history, where the
 * replay finds them in order.
 *
 * @module
 */
import type { Broker } from "../broker/broker.ts";
import { Frame } from "../ports/socket.ts";
import { encodeEvent } from "../protocol/codec.ts";
import type { Hub } from "./hub.ts";
import type { Subscription } from "./subscription.ts";

/** Events read at a time, and their bytes: what a replay holds in memory. */
const BATCH = 128;
const BATCH_BYTES = 524_288;

/** The member's side of a replay. */
export interface ReplaySink {
  /** True where the socket has room for more, false where the connection is over; otherwise a promise of either. */
  ready(): Promise<boolean> | boolean;
  /** Take a frame of the past. */
  replayed(frame: Frame): void;
  /** Events of this subscription between the two seqs cannot be had any more. */
  gap(subscription: Subscription, gap: { from: number; to: number; cause: string }): void;
}

/**
 * Replay what the scope has after `after`. Resolves with the number of events sent, when the subscription is live or
 * over.
 */
export async function replay(
  subscription: Subscription,
  after: number,
  parts: { hub: Hub; broker: Broker; sink: ReplaySink },
): Promise<number> {
  const { hub, broker, sink } = parts;
  const generation = subscription.generation;
  const over = () => subscription.ended || subscription.generation !== generation;
  let cursor = after;
  let sent = 0;
  while (!over()) {
    const heldBack = subscription.heldBack;
    // Both of the same moment: what is dropped from the history between the two would be missed in silence.
    const [events, evicted] = await Promise.all([
      broker.read(subscription.scope, cursor, BATCH, BATCH_BYTES),
      broker.evicted(subscription.scope),
    ]);
    if (over()) break;
    // The history may be ahead of what the broker has brought here: the rest comes live.
    const lost = Math.min(evicted, broker.position.seq);
    if (lost > cursor) {
      sink.gap(subscription, { from: cursor, to: lost, cause: "history" });
      cursor = lost;
      // What it does not bring, another subscription of the member may have to.
      subscription.start = lost;
    }
    let isAhead = false;
    for (const event of events) {
      if (event.seq <= cursor) continue;
      // Asked for each event, and in the turn that sends it: a batch can be large, and other replays run beside this.
      for (let room = sink.ready(); room !== true; room = sink.ready()) if (!await room) return sent;
      if (over()) return sent;
      isAhead = event.seq > broker.position.seq;
      if (isAhead) break;
      cursor = event.seq;
      if (!hub.brings(subscription, event)) continue;
      sink.replayed(new Frame(encodeEvent(event)));
      sent++;
    }
    if (events.length > 0 && !isAhead) continue;
    // What was held back before we read and is not in the history will never be there.
    cursor = Math.max(cursor, isAhead ? broker.position.seq : heldBack);
    if (cursor < subscription.heldBack) continue;
    subscription.live = true;
    break;
  }
  return sent;
}
