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
import type { SequencedEvent } from "../protocol/event.ts";
import type { Hub } from "./hub.ts";
import type { Subscription } from "./subscription.ts";

/** Events read at a time. */
const BATCH = 128;

/** The member's side of a replay. */
export interface ReplaySink {
  /** Resolves when the socket has room for more. False where the connection is over. */
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
    if (!await sink.ready()) break;
    const evicted = await broker.evicted(subscription.scope);
    if (over()) break;
    if (evicted > cursor) {
      sink.gap(subscription, { from: cursor, to: evicted, cause: "history" });
      cursor = evicted;
    }
    const events = await broker.read(subscription.scope, cursor, BATCH);
    if (over()) break;
    for (const event of events) {
      cursor = event.seq;
      if (!wanted(hub, subscription, event)) continue;
      sink.replayed(new Frame(encodeEvent(event)));
      sent++;
    }
    if (events.length === 0 && cursor >= subscription.heldBack) {
      subscription.live = true;
      break;
    }
    // What was held back can be of an ephemeral kind, which no history has.
    if (events.length === 0) cursor = subscription.heldBack;
  }
  return sent;
}

function wanted(hub: Hub, subscription: Subscription, event: SequencedEvent): boolean {
  return event.seq > subscription.start && subscription.wants(event) && hub.owns(subscription, event);
}
