/**
 * The replays of one client: started, paced by its socket, and kept from getting in each other's way.
 *
 * @module
 */
import type { Broker } from "../broker/broker.ts";
import type { Frame } from "../ports/socket.ts";
import { replay, type ReplaySink } from "../rooms/replay.ts";
import type { Place, Subscription } from "../rooms/subscription.ts";
import type { Client } from "./client.ts";
import type { Outbox } from "./outbox.ts";

/** A replay waits while more than this is on its way to the reader, and looks again after a pause. */
const BUFFER_BYTES = 262_144;
const PAUSE_MS = 10;

/** What the replays of one client may do in a turn of the process before others have theirs: events looked at, and bytes. */
const TURN_EVENTS = 256;
const TURN_BYTES = 131_072;

export class Replays implements ReplaySink {
  readonly #connection: Client;
  readonly #outbox: Outbox;
  readonly #running = new Map<Subscription, Promise<void>>();
  readonly #turn = { events: 0, bytes: 0 };
  #nextTurn: Promise<void> | null = null;

  constructor(connection: Client, outbox: Outbox) {
    this.#connection = connection;
    this.#outbox = outbox;
  }

  /** Whether nothing is replayed. */
  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Bring a subscription from a seq to the present and let it go live. Resolves then, and never rejects. */
  start(subscription: Subscription, after: number, broker: Broker): Promise<void> {
    const running = this.#run(subscription, after, broker).finally(() => {
      if (this.#running.get(subscription) === running) this.#running.delete(subscription);
    });
    this.#running.set(subscription, running);
    return running;
  }

  /**
   * Resolves when no replay is under way that joining or leaving this place would disturb: one of a subscription that
   * shares channels with another one of this client (see `Subscription.brings`), and, for who joins again, its own, whose
   * rest would be lost. Undefined where there is none.
   */
  busy(place: Place, wish: "join" | "leave"): Promise<unknown> | undefined {
    const names = [...this.#connection.host.hub.subscriptions(this.#connection).values()];
    const disturbed = [...this.#running].filter(([{ name, kind, wildcard, ended }]) => {
      if (ended || kind !== place.kind) return false;
      if (name !== place.name) return wildcard || place.wildcard;
      if (wish === "join") return true;
      return names.some((other) =>
        other.kind === kind && other.name !== name && (wildcard || other.wildcard)
      );
    });
    return disturbed.length === 0 ? undefined : Promise.all(disturbed.map(([, running]) => running));
  }

  ready(): Promise<boolean> | boolean {
    const { over, host } = this.#connection;
    if (over) return false;
    if (this.#outbox.sendingBytes >= BUFFER_BYTES) {
      return new Promise((resolve) => {
        host.clock.after(PAUSE_MS, () => resolve(this.ready()));
      });
    }
    if (this.#turn.bytes >= TURN_BYTES || this.#turn.events >= TURN_EVENTS) {
      return this.#afterThisTurn().then(() => this.ready());
    }
    this.#turn.events++;
    return true;
  }

  #afterThisTurn(): Promise<void> {
    return this.#nextTurn ??= new Promise((resolve) => {
      this.#connection.host.clock.endOfTick(() => {
        this.#nextTurn = null;
        this.#turn.events = this.#turn.bytes = 0;
        resolve();
      });
    });
  }

  replayed(frame: Frame): void {
    this.#turn.bytes += frame.bytes;
    this.#connection.replayed(frame);
  }

  /** Also to those who left it to this replay to bring what they share with it: see `Subscription.brings`. */
  gap(subscription: Subscription, gap: { from: number; to: number; cause: string }): void {
    // What waits is older than the position that the gap ends with.
    this.#connection.settle();
    this.#connection.gap(subscription, gap);
    for (const other of this.#connection.host.hub.subscriptions(this.#connection).values()) {
      const shares = other.kind === subscription.kind && (other.wildcard || subscription.wildcard);
      const from = Math.max(gap.from, subscription.joinedAt, other.start);
      if (shares && other !== subscription && from < gap.to) this.#connection.gap(other, { ...gap, from });
    }
  }

  /** Never rejects: a subscription that could not be brought up to date is told so, and goes live. */
  async #run(subscription: Subscription, after: number, broker: Broker): Promise<void> {
    const { hub, log, metrics } = this.#connection.host;
    const { generation } = subscription;
    try {
      metrics.replayed.add(await replay(subscription, after, { hub, broker, sink: this }));
    } catch (error) {
      const { id, over } = this.#connection;
      log.error("A replay failed", { connection: id, channel: subscription.name, error });
      if (over || subscription.ended || subscription.generation !== generation) return;
      this.gap(subscription, { from: after, to: broker.position.seq, cause: "history" });
      subscription.live = true;
    }
  }
}
