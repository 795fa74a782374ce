/**
 * The client's side of one subscription: takes what the server brings, once and in order, and keeps it until the
 * application reads it.
 *
 * @module
 */
import { kindOf } from "../protocol/channel-name.ts";
import type { Position } from "../protocol/event.ts";
import { ClientError } from "./errors.ts";
import { positionOf } from "./frames.ts";
import type {
  EventItem,
  Item,
  SnapshotItem,
  Subscribed,
  SubscribeOptions,
  Subscription,
} from "./subscription.ts";

/** Channels of which `#ahead` is kept, and the characters of their names: no server is to fill the memory with them. */
const MAX_AHEAD = 10_000;
const MAX_AHEAD_NAME = 1_000;

/** What the server has said of a gap. */
interface GapNotice {
  readonly from?: unknown;
  readonly to?: unknown;
  readonly cause?: unknown;
}

/**
 * How a subscription stands with the server. `off`: not there. `queued`: waits until another one is there. `joining`: not
 * answered yet. `on`: there.
 */
export type Membership = "off" | "queued" | "joining" | "on";

export class ChannelReader implements Subscription<Item> {
  readonly name: string;
  readonly options: SubscribeOptions;
  readonly kind: string;
  readonly isWildcard: boolean;
  readonly ready: Promise<Subscribed>;
  membership: Membership = "off";
  /** Grows with each subscribe, so that the answer to an earlier one is known. */
  turn = 0;
  /** How far the server has brought it. */
  reached: Position | null;
  /** Whether it waits for the application to read. */
  paused = false;
  /** Whether the server has answered it once. */
  wasAnswered = false;
  readonly #onChange: (reader: ChannelReader) => void;
  readonly #filter: ReadonlySet<string> | null;
  readonly #waiting: { item: Item; size: number; reached: Position | null }[] = [];
  /** How far the application has read, while something waits. */
  #read: Position | null = null;
  #waitingSize = 0;
  /** Newest seq by channel of what another subscription of this client brought before this one was answered. */
  readonly #ahead = new Map<string, number>();
  /** A snapshot that waits for the gap that it closes. */
  #held: { readonly item: SnapshotItem; readonly size: number } | null = null;
  #wakes: (() => void)[] = [];
  #end: { readonly error: Error | null } | null = null;
  #settle!: { resolve: (subscribed: Subscribed) => void; reject: (error: Error) => void };

  /** @param onChange called when the application has read all, and when it has ended the subscription */
  constructor(name: string, options: SubscribeOptions, onChange: (reader: ChannelReader) => void) {
    this.name = name;
    this.options = options;
    this.reached = options.since ?? null;
    this.#onChange = onChange;
    this.kind = kindOf(name);
    this.isWildcard = name.endsWith(":*");
    this.#filter = options.events ? new Set(options.events) : null;
    this.ready = new Promise((resolve, reject) => this.#settle = { resolve, reject });
    // Whoever does not ask need not catch.
    this.ready.catch(() => {});
  }

  get isOver(): boolean {
    return this.#end !== null;
  }

  get isLive(): boolean {
    return this.membership === "on";
  }

  get position(): Position | null {
    return this.#waiting.length > 0 ? this.#read : this.reached;
  }

  close(): void {
    if (this.#end) return;
    this.reached = this.position;
    this.#waiting.length = 0;
    this.end(null);
    this.#onChange(this);
  }

  [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.close();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  async #next(): Promise<IteratorResult<Item, undefined>> {
    while (this.#waiting.length === 0 && !this.#end) {
      await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
    const next = this.#waiting.shift();
    if (next) {
      this.#waitingSize -= next.size;
      this.#read = next.reached;
      if (this.paused && this.#waiting.length === 0) this.#onChange(this);
      return { done: false, value: next.item };
    }
    const error = this.#end!.error;
    // Told once.
    this.#end = { error: null };
    if (error) throw error;
    return { done: true, value: undefined };
  }

  // --- what the desk calls ---

  /** Whether it wants events of a channel. */
  covers(channel: string): boolean {
    return this.name === channel || (this.isWildcard && this.kind === kindOf(channel));
  }

  /** An event of a channel that it covers. */
  take(event: EventItem, size: number): void {
    if (this.membership === "off" || this.membership === "queued" || this.paused || this.#end) return;
    const { seq, epoch, channel } = event;
    if (seq !== undefined && epoch !== undefined) {
      // What comes before it begins belongs to others.
      if (!this.reached) return;
      if (
        epoch === this.reached.epoch && seq <= Math.max(this.reached.seq, this.#ahead.get(channel) ?? 0)
      ) return;
      if (this.membership !== "joining") this.moved({ epoch, seq });
      else if (this.#ahead.size < MAX_AHEAD && channel.length < MAX_AHEAD_NAME) this.#ahead.set(channel, seq);
    }
    if (!this.#filter || this.#filter.has(event.event)) this.#push(event, size);
  }

  /** Everything up to the position has been seen. */
  moved(position: Position): void {
    this.#read = this.position;
    this.reached = position;
    for (const [channel, seq] of this.#ahead) if (seq <= position.seq) this.#ahead.delete(channel);
  }

  /** The server's answer to a subscribe, the first one or a later one. */
  // deno-lint-ignore no-explicit-any
  answered(data: Record<string, any>, asked: { since: boolean; last: boolean }, size: number): void {
    this.membership = "on";
    this.#held = null;
    const { epoch, recovered, snapshot, from } = data;
    const position = positionOf(data);
    if (!position && (this.wasAnswered || asked.since)) this.gap({});
    // Where something is lost, the gap that follows moves the position.
    if (position && !asked.since) this.moved(asked.last && positionOf({ epoch, seq: from }) || position);
    if (snapshot && position) {
      const item: SnapshotItem = { type: "snapshot", channel: this.name, snapshot, ...position };
      if (recovered === false) this.#held = { item, size };
      else this.#push(item, size);
    }
    this.wasAnswered = true;
    this.#settle.resolve({ position, recovered: recovered === undefined ? null : recovered === true });
  }

  /** @param position where it ends. Where a snapshot follows, only with that the application is there */
  gap(told: GapNotice, position?: Position): void {
    const held = this.#held;
    this.#held = null;
    if (position && !held) this.moved(position);
    this.#tell(told);
    if (!held) return;
    if (position) this.moved(position);
    this.#push(held.item, held.size);
  }

  #tell({ from, to, cause }: GapNotice, channel = this.name): void {
    const number = (value: unknown) => typeof value === "number" ? value : null;
    const reason = typeof cause === "string" ? cause : "unknown";
    this.#push({ type: "gap", channel, from: number(from), to: number(to), cause: reason }, 100);
  }

  /**
   * Another subscription, which joined before this one, has lost events of a channel that both hold, and goes on behind
   * them. Should they still come to this one, they would come after newer ones: they are lost here too.
   */
  passes(channel: string, told: GapNotice, { epoch, seq }: Position): void {
    const { reached, membership } = this;
    if (membership !== "joining" || reached?.epoch !== epoch || seq <= reached.seq) return;
    this.#ahead.set(channel, seq);
    this.#tell(told, channel);
  }

  /** What waits can still be read; then the iteration throws the error, or is done. */
  end(error: Error | null): void {
    if (this.#end) return;
    this.#end = { error };
    this.membership = "off";
    this.#settle.reject(error ?? new ClientError("closed", "The subscription was closed"));
    this.#awake();
  }

  #push(item: Item, size: number): void {
    this.#waiting.push({ item, size, reached: this.reached });
    this.#waitingSize += size;
    this.#awake();
    if (this.paused || this.#waitingSize <= (this.options.bufferSize ?? 4_194_304)) return;
    this.paused = true;
    this.#onChange(this);
  }

  #awake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}
