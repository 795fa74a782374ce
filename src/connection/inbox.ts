/**
 * Messages of one connection, in order and not too many at once: at most `perTick` are handled in a tick, so that one
 * busy client does not delay the others, and none while the connection is held (for example while a token is
 * verified). While messages wait, the socket is not read, which slows the sender by the network itself.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import { Frame, type Socket } from "../ports/socket.ts";
import type { ConnectionHost } from "./host.ts";

export type Message = string | Uint8Array;

/** Whether a message has more than so many bytes in UTF-8. */
export function exceeds(message: Message, bytes: number): boolean {
  if (message.length > bytes) return true;
  // A UTF-16 unit has at most three bytes.
  return typeof message === "string" && message.length * 3 > bytes && new Frame(message).bytes > bytes;
}

/** Whose messages they are. */
export interface InboxOwner {
  readonly host: Pick<ConnectionHost, "clock" | "settings">;
  handle(message: Message): void;
}

/** Numbers the ticks in which messages come, for all connections of a clock together. */
class Ticks {
  static readonly #known = new WeakMap<Clock, Ticks>();
  readonly #clock: Clock;
  #begun = false;
  /** Of the tick that is under way, or that comes next. */
  count = 0;

  private constructor(clock: Clock) {
    this.#clock = clock;
  }

  static of(clock: Clock): Ticks {
    let ticks = Ticks.#known.get(clock);
    if (!ticks) Ticks.#known.set(clock, ticks = new Ticks(clock));
    return ticks;
  }

  /** Something happens in this tick. Returns its number. */
  begin(): number {
    if (!this.#begun) {
      this.#begun = true;
      this.#clock.endOfTick(this.#end);
    }
    return this.count;
  }

  readonly #end = (): void => {
    this.#begun = false;
    this.count++;
  };
}

export class Inbox {
  readonly #socket: Socket;
  readonly #owner: InboxOwner;
  /** Null for none. */
  #waiting: Message[] | null = null;
  readonly #ticks: Ticks;
  /** Messages that were handled in the tick of this number. */
  #handled = 0;
  #tick = -1;
  #drainQueued = false;
  /** Reasons to wait. */
  #holds = 0;
  #paused = false;
  #closed = false;

  constructor(socket: Socket, owner: InboxOwner) {
    this.#socket = socket;
    this.#owner = owner;
    this.#ticks = Ticks.of(owner.host.clock);
  }

  push(message: Message): void {
    if (this.#closed) return;
    if (this.#waiting !== null || !this.#mayHandle()) {
      (this.#waiting ??= []).push(message);
      this.#pause();
      if (this.#holds === 0) this.#drainLater();
      return;
    }
    this.#take(message);
  }

  /** True while the socket is not read. */
  get paused(): boolean {
    return this.#paused;
  }

  /** Let messages wait until `release` has been called as often. */
  hold(): void {
    this.#holds++;
  }

  release(): void {
    this.#holds--;
    this.#drain();
  }

  /** Take nothing more. The socket is read again, since the peer's answer to a close frame is still to come. */
  close(): void {
    this.#waiting = null;
    if (!this.#closed) this.#drain();
    this.#closed = true;
  }

  #mayHandle(): boolean {
    const { framesPerTick } = this.#owner.host.settings;
    if (this.#holds > 0) return false;
    return framesPerTick === 0 || this.#tick !== this.#ticks.count || this.#handled < framesPerTick;
  }

  #take(message: Message): void {
    const tick = this.#ticks.begin();
    if (this.#tick !== tick) {
      this.#tick = tick;
      this.#handled = 0;
    }
    this.#handled++;
    this.#owner.handle(message);
  }

  #drainLater(): void {
    if (this.#drainQueued) return;
    this.#drainQueued = true;
    this.#owner.host.clock.endOfTick(() => {
      this.#drainQueued = false;
      this.#drain();
    });
  }

  #drain(): void {
    // What is handled may end the connection, and then nothing waits any more.
    while (this.#waiting !== null && this.#mayHandle()) {
      const message = this.#waiting.shift()!;
      if (this.#waiting.length === 0) this.#waiting = null;
      this.#take(message);
    }
    if (this.#waiting !== null && this.#holds === 0) this.#drainLater();
    if (this.#waiting === null && this.#paused && !this.#closed) {
      this.#paused = false;
      this.#socket.resume();
    }
  }

  #pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
  }
}
