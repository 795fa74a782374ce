/**
 * A feed: listens to another service as any client does, comes back when it was cut off, and goes on where it was.
 *
 * @module
 */
import type { Cancel, Clock } from "../../../src/ports/clock.ts";
import type { Dial, DialedSocket } from "../../../src/ports/dial.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { ChannelFrame } from "./feed-batch.ts";
import { type FeedFrame, type FeedPosition, isPosition, readFrame } from "./feed-frames.ts";
import type { FeedSettings } from "./settings.ts";

const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 20_000;
/** Silence after which the other side is asked whether it is there; after as much again it is given up. */
const SILENCE_MS = 30_000;
/** Time until the answer to all subscriptions must have come. */
const SUBSCRIBE_MS = 15_000;
/** Frames that make no sense, in one connection, until it is ended. */
const MAX_GARBAGE = 100;
/** Event types that a subscription's filter holds. */
const MAX_FILTER = 64;
/** Frames that are taken over at once. */
const MAX_BATCH = 256;

export interface FeedParts {
  readonly name: string;
  readonly settings: FeedSettings;
  readonly dial: Dial;
  readonly clock: Clock;
  readonly log: Log;
  /** For the jitter. @default Math.random */
  readonly random?: () => number;
  readonly position: (channel: string) => FeedPosition | null;
  /** Take over what was heard, in one transaction. Where it throws, the feed begins anew from where it was. */
  readonly take: (frames: readonly ChannelFrame[]) => void;
  readonly countGarbage: () => void;
}

/** One connection's part of a feed's state. */
interface Line {
  readonly socket: DialedSocket;
  /** Channels that were asked for, by the id of the request. */
  readonly asked: Map<string, string>;
  /** Channels that are subscribed. */
  readonly joined: Set<string>;
  waiting: ChannelFrame[];
  garbage: number;
  heard: boolean;
  silent: boolean;
}

export class Feed {
  readonly #parts: FeedParts;
  readonly #random: () => number;
  #line: Line | null = null;
  #attempts = 0;
  #wasUp = false;
  #complained = "";
  #stopped = false;
  #again: Cancel = () => {};
  #watch: Cancel = () => {};
  #deadline: Cancel = () => {};

  constructor(parts: FeedParts) {
    this.#parts = parts;
    this.#random = parts.random ?? Math.random;
  }

  /** Whether all channels are subscribed. */
  get connected(): boolean {
    return this.#line !== null &&
      this.#line.joined.size === Object.keys(this.#parts.settings.channels).length;
  }

  start(): void {
    if (this.#stopped) return;
    const { dial, settings: { url, token }, clock } = this.#parts;
    const line: Line = {
      socket: dial.connect(url, {
        ...token !== undefined && { headers: { authorization: `Bearer ${token}` } },
        onOpen: () => this.#opened(line),
        onText: (text) => this.#heard(line, text),
        onClose: (code, reason) => this.#closed(line, `${code} ${reason}`.trim()),
      }),
      asked: new Map(),
      joined: new Set(),
      waiting: [],
      garbage: 0,
      heard: false,
      silent: false,
    };
    this.#line = line;
    this.#watch = clock.every(SILENCE_MS, () => this.#look(line));
    this.#deadline = clock.after(SUBSCRIBE_MS, () => this.#drop(line, "It did not answer in time"));
  }

  stop(): void {
    this.#stopped = true;
    this.#again();
    const line = this.#line;
    if (!line) return;
    // What was heard and not taken over is heard again at the next start.
    this.#letGo();
    line.socket.close();
  }

  #opened(line: Line): void {
    if (this.#line !== line) return;
    const { settings: { channels }, position } = this.#parts;
    let number = 0;
    for (const [channel, rules] of Object.entries(channels)) {
      const since = position(channel);
      const events = [...new Set(rules.map(({ event }) => event))];
      const id = `feed-${++number}`;
      line.asked.set(id, channel);
      // Of more than a filter holds, all are asked for.
      const data = { channel, ...events.length <= MAX_FILTER && { events }, ...since && { since } };
      line.socket.send(JSON.stringify({ type: "request", id, correlation_id: id, event: "subscribe", data }));
    }
  }

  #heard(line: Line, text: string): void {
    if (this.#line !== line) return;
    line.heard = true;
    line.silent = false;
    const frame = readFrame(text);
    if (frame === null) this.#garbage(line);
    else if (frame.type === "reply") this.#joined(line, frame);
    else if (frame.type === "refused") {
      if (frame.id !== null && line.asked.has(frame.id)) {
        const channel = line.asked.get(frame.id);
        const reason = `Refused to tell of ${channel}: ${frame.code} ${frame.message}`;
        if (this.#complained !== reason) {
          this.#parts.log.warn("Feed is refused", { feed: this.#parts.name, reason });
        }
        this.#drop(line, reason);
      }
    } else if (frame.type !== "other") this.#hold(line, frame);
  }

  #joined(line: Line, { id, data }: Extract<FeedFrame, { type: "reply" }>): void {
    const channel = line.asked.get(id);
    if (channel === undefined) return;
    line.asked.delete(id);
    const { epoch, seq } = data;
    if (data.status !== "subscribed" || !isPosition({ epoch, seq })) return this.#garbage(line);
    line.joined.add(channel);
    // What is replayed comes from where we were; otherwise all begins here, with a gap before it where there was one.
    if (data.recovered !== true) {
      this.#hold(line, { type: "position", channel, epoch: epoch as string, seq: seq as number });
    }
    if (!this.connected) return;
    this.#deadline();
    this.#complained = "";
    this.#wasUp = true;
    this.#parts.log.info("Feed is connected", { feed: this.#parts.name });
  }

  /** What comes in one tick is taken over in one transaction. */
  #hold(line: Line, frame: ChannelFrame): void {
    line.waiting.push(frame);
    if (line.waiting.length >= MAX_BATCH) this.#take(line);
    else if (line.waiting.length === 1) this.#parts.clock.endOfTick(() => this.#take(line));
  }

  #take(line: Line): void {
    if (this.#line !== line || line.waiting.length === 0) return;
    const frames = line.waiting;
    line.waiting = [];
    try {
      this.#parts.take(frames);
    } catch (error) {
      this.#parts.log.error("What a feed has heard could not be taken over; it is asked for again", {
        feed: this.#parts.name,
        error,
      });
      this.#drop(line, "What was heard could not be taken over");
    }
  }

  #garbage(line: Line): void {
    line.garbage++;
    this.#parts.countGarbage();
    if (line.garbage === 1) {
      this.#parts.log.warn("Feed hears what is no frame", { feed: this.#parts.name });
    }
    if (line.garbage >= MAX_GARBAGE) this.#drop(line, "It sends what is no frame");
  }

  #look(line: Line): void {
    if (this.#line !== line) return;
    // Up for a while: what comes next is a new trouble.
    if (this.connected) this.#attempts = 0;
    if (line.heard) line.silent = false;
    else if (line.silent) return this.#drop(line, "It has fallen silent");
    else {
      line.silent = true;
      line.socket.send(JSON.stringify({ type: "ping", id: "feed-ping" }));
    }
    line.heard = false;
  }

  #drop(line: Line, reason: string): void {
    if (this.#line !== line) return;
    this.#closed(line, reason);
    line.socket.close();
  }

  #closed(line: Line, reason: string): void {
    if (this.#line !== line) return;
    const { clock, log, name } = this.#parts;
    this.#take(line);
    if (this.#line !== line) return;
    this.#letGo();
    if (this.#stopped) return;
    // Said once, and again only when something else is wrong: where nobody listens, there is nothing to say.
    if (this.#wasUp) log.info("Feed was cut off", { feed: name, reason });
    else if (this.#complained !== reason) log.debug("Feed has no connection", { feed: name, reason });
    this.#wasUp = false;
    this.#complained = reason;
    const longest = Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(this.#attempts++, 16));
    this.#again = clock.after(this.#random() * longest, () => this.start());
  }

  #letGo(): void {
    this.#line = null;
    this.#watch();
    this.#deadline();
  }
}
