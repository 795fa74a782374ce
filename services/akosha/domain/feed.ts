/**
 * A feed: listens to another service as any client does, and hands on what it has heard, to be taken over in one
 * transaction with how far it has come. The client comes back where the connection was lost; the feed begins anew, after
 * a while, where the other side does not want it, or is not what it should be.
 *
 * @module
 */
import {
  type Client,
  ClientError,
  type ClientOptions,
  type Item,
  type Subscription,
} from "../../../src/client/mod.ts";
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { Position } from "../../../src/protocol/event.ts";
import type { Heard } from "./feed-batch.ts";
import type { FeedSettings } from "./settings.ts";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
const LOOK_MS = 1_000;
/** Time that all subscriptions of an open connection may take. */
const SUBSCRIBE_MS = 15_000;
/** A connection that lasts so long is a good one. */
const GOOD_MS = 30_000;
/** A service that cannot be reached for so long is spoken of: those of one process start one after the other. */
const UNREACHABLE_MS = 10_000;
/** Frames that make no sense, in one connection, until it is ended. */
const MAX_GARBAGE = 100;
/** Event types that a subscription's filter holds. */
const MAX_FILTER = 64;
/** What is taken over at once. */
const MAX_BATCH = 256;
/** Characters of a stranger's words that a log holds. */
const MAX_WORDS = 200;
const NO_POSITIONS = "It keeps no positions";

/** Makes a client of another service. */
export type ClientMaker = (options: ClientOptions) => Client;

export interface FeedParts {
  readonly name: string;
  readonly settings: FeedSettings;
  readonly createClient: ClientMaker;
  readonly clock: Clock;
  readonly log: Log;
  /** For the jitter. @default Math.random */
  readonly random?: () => number;
  readonly position: (channel: string) => Position | null;
  /** Take over what was heard, in one transaction. Where it throws, the feed begins anew from where it was. */
  readonly take: (heard: readonly Heard[]) => void;
  readonly countGarbage: () => void;
}

/** One client's part of a feed's state. Times are monotonic milliseconds. */
interface Line {
  client: Client | null;
  readonly subscriptions: Map<string, Subscription>;
  /** Positions that were handed on, by channel. */
  readonly told: Map<string, Position>;
  waiting: Heard[];
  garbage: number;
  hasComplained: boolean;
  /** Since when no connection can be made, and why; null where one was. */
  unreachable: { readonly since: number; reason: string; isTold: boolean } | null;
  /** When all was subscribed; null where it is not. */
  upAt: number | null;
  /** When all was subscribed last, or the connection was opened. */
  wellAt: number;
}

export class Feed {
  readonly #parts: FeedParts;
  #line: Line | null = null;
  #attempts = 0;
  /** Why there was no connection last, so that it is not said again and again. */
  #complained = "";
  #stopped = false;
  #again: Cancel = () => {};
  #watch: Cancel = () => {};

  constructor(parts: FeedParts) {
    this.#parts = parts;
  }

  /** Whether all channels are subscribed. */
  get connected(): boolean {
    return this.#line !== null && [...this.#line.subscriptions.values()].every(({ isLive }) => isLive);
  }

  start(): void {
    if (this.#stopped) return;
    try {
      this.#begin();
    } catch (error) {
      this.#parts.log.error("A feed could not begin; it tries again", { feed: this.#parts.name, error });
      this.#startLater();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#again();
    // What was heard and not taken over is heard again at the next start.
    this.#letGo();
  }

  #begin(): void {
    const { createClient, settings: { url, token, channels }, clock, random, position } = this.#parts;
    const wishes = Object.entries(channels).map(([channel, rules]) => {
      const since = position(channel);
      const events = [...new Set(rules.map(({ event }) => event))];
      // Of more than a filter holds, all are asked for.
      return {
        channel,
        since,
        options: { ...events.length <= MAX_FILTER && { events }, ...since && { since } },
      };
    });
    const line: Line = {
      client: null,
      subscriptions: new Map(),
      told: new Map(),
      waiting: [],
      garbage: 0,
      hasComplained: false,
      unreachable: null,
      upAt: null,
      wellAt: clock.monotonic(),
    };
    this.#line = line;
    const client = line.client = createClient({
      url,
      ...token !== undefined && { token },
      ...random && { random },
      clock,
      onState: (state, error) => {
        if (this.#line !== line) return;
        if (state === "open") this.#opened(line);
        else if (state === "connecting") this.#lost(line);
        else this.#refused(line, error);
      },
      onError: (error) => this.#troubled(line, error),
    });
    for (const { channel, since, options } of wishes) {
      const subscription = client.subscribe(channel, options) as Subscription;
      line.subscriptions.set(channel, subscription);
      if (since) line.told.set(channel, since);
      void this.#follow(line, channel, subscription);
    }
    const joined = [...line.subscriptions.values()].map(({ ready }) => ready);
    // At the end of the tick, when whatever was brought has been read.
    Promise.all(joined).then(() => clock.endOfTick(() => this.#look(line)), () => {});
    this.#watch = clock.every(LOOK_MS, () => this.#look(line));
  }

  async #follow(line: Line, channel: string, subscription: Subscription): Promise<void> {
    try {
      for await (const item of subscription) {
        if (this.#line !== line) return;
        this.#heard(line, channel, item);
      }
    } catch (error) {
      this.#refused(line, `Refused to tell of ${channel}: ${error}`);
    }
  }

  #heard(line: Line, channel: string, item: Item): void {
    const { position } = line.subscriptions.get(channel)!;
    const isPlaced = item.type === "event" ? item.seq !== undefined : item.type !== "gap" || item.to !== null;
    if (position && isPlaced) this.#hold(line, { channel, item, position });
    else this.#refused(line, NO_POSITIONS);
  }

  /** What comes in one tick is taken over in one transaction. */
  #hold(line: Line, heard: Heard): void {
    line.told.set(heard.channel, heard.position);
    line.waiting.push(heard);
    if (line.waiting.length >= MAX_BATCH) this.#take(line);
    else if (line.waiting.length === 1) this.#parts.clock.endOfTick(() => this.#take(line));
  }

  #take(line: Line): void {
    if (this.#line !== line || line.waiting.length === 0) return;
    const heard = line.waiting;
    line.waiting = [];
    try {
      this.#parts.take(heard);
    } catch (error) {
      this.#parts.log.error("What a feed has heard could not be taken over; it is asked for again", {
        feed: this.#parts.name,
        error,
      });
      this.#drop(line, "What was heard could not be taken over");
    }
  }

  #opened(line: Line): void {
    line.garbage = 0;
    line.unreachable = null;
    line.wellAt = this.#parts.clock.monotonic();
  }

  /** The client has lost its connection, and is about to make another one. */
  #lost(line: Line): void {
    if (this.#wasGood(line)) this.#attempts = 0;
    this.#cutOff(line, "The connection was lost");
  }

  /** Once a second, and as soon as all channels are subscribed for the first time; never while an item is on its way. */
  #look(line: Line): void {
    if (this.#line !== line) return;
    const { clock, log, name } = this.#parts;
    const now = clock.monotonic();
    if (!this.connected) {
      if (line.client!.state !== "open") {
        this.#cutOff(line, "Nobody listens");
        this.#tellUnreachable(line, now);
      } else if (now - line.wellAt >= SUBSCRIBE_MS) this.#drop(line, "It did not answer in time");
      return;
    }
    for (const [channel, { position }] of line.subscriptions) {
      if (!position) return this.#refused(line, NO_POSITIONS);
      const told = line.told.get(channel);
      if (told?.seq === position.seq && told.epoch === position.epoch) continue;
      // The filter has left out what came, or nothing has come yet.
      this.#hold(line, { channel, item: null, position });
    }
    line.wellAt = now;
    if (this.#line !== line || line.upAt !== null) return;
    line.upAt = now;
    this.#complained = "";
    log.info("Feed is connected", { feed: name });
  }

  /** The other side, or one of its channels, does not want us, or does not know what we need. */
  #refused(line: Line, error: unknown): void {
    if (this.#line !== line) return;
    const reason = wordsOf(error);
    if (this.#complained !== reason) {
      this.#parts.log.warn("Feed is refused", { feed: this.#parts.name, reason });
    }
    this.#complained = reason;
    this.#drop(line, reason);
  }

  /** An error that belongs to no subscription. */
  #troubled(line: Line, error: unknown): void {
    if (this.#line !== line) return;
    if (error instanceof ClientError && error.reason === "unreachable") {
      const since = this.#parts.clock.monotonic();
      line.unreachable ??= { since, reason: "", isTold: false };
      line.unreachable.reason = wordsOf(error);
      return;
    }
    const isGarbage = error instanceof ClientError && error.reason === "malformed";
    if (isGarbage) {
      line.garbage++;
      this.#parts.countGarbage();
    }
    if (!line.hasComplained) {
      line.hasComplained = true;
      this.#parts.log.warn("Feed hears what is wrong", { feed: this.#parts.name, reason: wordsOf(error) });
    }
    if (line.garbage >= MAX_GARBAGE) this.#drop(line, "It sends what is no frame");
  }

  #tellUnreachable({ unreachable }: Line, now: number): void {
    if (unreachable === null || unreachable.isTold || now - unreachable.since < UNREACHABLE_MS) return;
    unreachable.isTold = true;
    const { log, name } = this.#parts;
    log.warn("Feed cannot reach its service", { feed: name, reason: unreachable.reason });
  }

  #drop(line: Line, reason: string): void {
    this.#take(line);
    if (this.#line !== line) return;
    if (this.#wasGood(line)) this.#attempts = 0;
    this.#cutOff(line, reason);
    this.#letGo();
    this.#startLater();
  }

  #startLater(): void {
    const { clock, random = Math.random } = this.#parts;
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempts++, 16));
    this.#again = clock.after(random() * longest, () => this.start());
  }

  /** Said once, and again only when something else is wrong: where nobody listens, there is nothing to say. */
  #cutOff(line: Line, reason: string): void {
    const { log, name } = this.#parts;
    if (line.upAt !== null) log.info("Feed was cut off", { feed: name, reason });
    else if (this.#complained !== reason) log.debug("Feed has no connection", { feed: name, reason });
    line.upAt = null;
    this.#complained = reason;
  }

  #wasGood({ upAt }: Line): boolean {
    return upAt !== null && this.#parts.clock.monotonic() - upAt >= GOOD_MS;
  }

  #letGo(): void {
    const line = this.#line;
    this.#line = null;
    this.#watch();
    line?.client?.close();
  }
}

/** A stranger's, as a log can hold them. */
function wordsOf(error: unknown): string {
  return String(error).slice(0, MAX_WORDS);
}
