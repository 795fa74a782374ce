/**
 * Sees to it that the server knows of every subscription of this client, over whatever connection, and hands each of
 * them what the server brings.
 *
 * A server sends an event once, also to a client that is in `a:b` and in `a:*`. Of the past, it brings through the one
 * what the other does not bring. So that each of two such subscriptions has its channels in order and without a hole,
 * they are joined in one order, and without their filters, which hold here.
 *
 * @module
 */
import type { CallOptions, Data, Settle } from "./calls.ts";
import { ClientError, RequestError } from "./errors.ts";
import type { InboundFrame } from "./frames.ts";
import type { ChannelReader } from "./channel-reader.ts";
import type { EventItem } from "./subscription.ts";

export type Ask = (event: string, data: Data, options: CallOptions, settle: Settle) => void;

const OPTIONS: CallOptions = { timeoutMs: 0, lane: "connection" };

export class Desk {
  readonly #readers = new Map<string, ChannelReader>();
  readonly #ask: Ask;
  /** Unanswered unsubscribes, by kind. */
  readonly #leaving = new Map<string, number>();
  /** Kinds of which one is being joined alone. */
  readonly #alone = new Set<string>();
  #isOpen = false;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  add(reader: ChannelReader): void {
    const { name } = reader;
    if (this.#readers.has(name)) {
      throw new TypeError(
        `Cannot subscribe to ${name} a second time: share the subscription, or close it first`,
      );
    }
    this.#readers.set(name, reader);
    if (this.#isOpen) this.#join(reader);
  }

  /** The application has ended a subscription, or has fallen behind, or has caught up. */
  changed(reader: ChannelReader): void {
    const { name, isOver, paused, membership } = reader;
    if (isOver) this.#readers.delete(name);
    if (isOver || membership !== "off") {
      reader.membership = "off";
      if (this.#isOpen) this.#leave(reader);
    } else if (paused) {
      reader.paused = false;
      if (this.#isOpen) this.#join(reader);
    }
  }

  opened(): void {
    this.#isOpen = true;
    for (const reader of this.#readers.values()) if (!reader.paused) reader.membership = "queued";
    for (const { kind } of this.#readers.values()) this.#arrange(kind);
  }

  lost(): void {
    this.#isOpen = false;
    this.#alone.clear();
    for (const reader of this.#readers.values()) reader.membership = "off";
  }

  /** What the server tells without being asked. */
  told(frame: InboundFrame): void {
    const { type, event, room, data = {}, seq, epoch } = frame;
    const named = this.#readers.get(room ?? "");
    if (type === "error" && named && frame.error_code === "FORBIDDEN") {
      this.#end(named, new ClientError("closed", frame.error_message ?? "Not authorized any more"));
    } else if (type === "event" && room && epoch !== undefined && seq !== undefined) {
      const mine = named?.membership === "on" ? named : undefined;
      if (event !== "gap") return mine?.moved({ epoch, seq });
      mine?.gap(data, { epoch, seq });
      // Also of a channel that the application has left: until the server knows, it brings those who share it what follows.
      for (const other of this.#readers.values()) {
        if (other !== named && other.covers(room)) other.passes(room, data, { epoch, seq });
      }
    }
  }

  event(item: EventItem, size: number): void {
    for (const reader of this.#readers.values()) {
      if (reader.covers(item.channel)) reader.take(item, size);
    }
  }

  close(error: Error | null): void {
    for (const reader of this.#readers.values()) reader.end(error);
    this.#readers.clear();
  }

  #join(reader: ChannelReader): void {
    reader.membership = "queued";
    this.#arrange(reader.kind);
  }

  /** Join what is queued of a kind, as soon as that can be done in order. */
  #arrange(kind: string): void {
    // What the server still brings to those who leave is not in this order.
    if (!this.#isOpen || this.#leaving.get(kind) || this.#alone.has(kind)) return;
    const { group, isShared } = this.#groupOf(kind);
    const queued = group.filter(({ membership }) => membership === "queued");
    // Those that begin now are in nobody's way.
    if (isShared && queued.some(({ reached, options }) => reached || options.last !== undefined)) {
      const present = group.filter((member) => !queued.includes(member));
      for (const member of present) {
        this.#leave(member);
        member.membership = "queued";
      }
      if (present.length > 0) return;
      // Where one begins whose past is not known yet, it goes first, alone.
      const first = queued.find(({ reached, options }) => !reached && options.last !== undefined);
      if (first) {
        this.#alone.add(kind);
        return this.#subscribe(first, undefined);
      }
    }
    // Channels catch up before the wildcard over them, and from where that is, if they are further: while one catches up
    // beside it, events of others go on. Those that begin now have nothing to catch up with.
    const wildcard = isShared ? group.find(({ isWildcard }) => isWildcard)?.reached : undefined;
    const rank = ({ isWildcard, reached }: ChannelReader) => isWildcard ? 1 : reached ? 0 : 2;
    for (const member of queued.sort((a, b) => rank(a) - rank(b))) {
      const { reached, options: { events } } = member;
      const isFurther = reached && wildcard?.epoch === reached.epoch && wildcard.seq < reached.seq;
      this.#subscribe(member, isShared ? undefined : events, isFurther ? wildcard : reached);
    }
  }

  #subscribe(reader: ChannelReader, events: readonly string[] | undefined, since = reader.reached): void {
    const { name, kind, options } = reader;
    const last = since ? undefined : options.last;
    const data: Data = { channel: name, since: since ?? undefined, last, events };
    reader.membership = "joining";
    const turn = ++reader.turn;
    this.#ask("subscribe", data, OPTIONS, (answer, size = 0) => {
      // Without a connection the next one sees to it.
      if (isLost(answer) || reader.turn !== turn) return;
      if (isLater(answer)) return this.#again(reader);
      if (answer instanceof Error) this.#end(reader, answer);
      else if (reader.membership === "joining") {
        reader.answered(answer, { since: since !== null, last: last !== undefined }, size);
      }
      if (this.#alone.delete(kind)) this.#arrange(kind);
    });
  }

  #leave({ name, kind }: ChannelReader): void {
    const count = (by: number) => this.#leaving.set(kind, (this.#leaving.get(kind) ?? 0) + by);
    count(1);
    const ask = () =>
      this.#ask("unsubscribe", { channel: name }, OPTIONS, (answer) => {
        if (isLater(answer)) return ask();
        count(-1);
        this.#arrange(kind);
      });
    ask();
  }

  /** A rate limit has refused it, and perhaps not those behind it: all begin anew, so that the order stays. */
  #again(reader: ChannelReader): void {
    const { kind, membership } = reader;
    this.#alone.delete(kind);
    if (membership === "joining") reader.membership = "queued";
    const { group, isShared } = this.#groupOf(kind);
    for (const member of isShared ? group : []) {
      if (member.membership !== "joining" && member.membership !== "on") continue;
      this.#leave(member);
      member.membership = "queued";
    }
    this.#arrange(kind);
  }

  /** Subscriptions of a kind that wait for nothing but the server; shared where they have channels in common. */
  #groupOf(kind: string): { group: ChannelReader[]; isShared: boolean } {
    const group = [...this.#readers.values()].filter((member) => member.kind === kind && !member.paused);
    return { group, isShared: group.length > 1 && group.some(({ isWildcard }) => isWildcard) };
  }

  #end(reader: ChannelReader, error: Error): void {
    if (this.#readers.get(reader.name) === reader) this.#readers.delete(reader.name);
    reader.end(error);
  }
}

function isLost(answer: unknown): boolean {
  return answer instanceof ClientError && (answer.reason === "lost" || answer.reason === "closed");
}

function isLater(answer: unknown): boolean {
  return answer instanceof RequestError && answer.code === "RATE_LIMIT_EXCEEDED";
}
