/**
 * A client that knows nothing but the protocol: subscribes, notes what it gets, and after each cut subscribes again
 * from its last position. It publishes too, and repeats what was not answered where it has a key.
 *
 * @module
 */
import { holds } from "./committed.ts";
import type { Reader } from "./reader.ts";
import type { Heard, Item, Operation, Stay, Transcript } from "./record.ts";
import type { Line, World } from "./world.ts";

/** Requests that wait for an answer at a time, at most: what the server announces as its window. */
const WINDOW = 16;

/** One wish to be in a place. */
interface Wish {
  readonly place: string;
  readonly last: number | null;
  filter: readonly string[] | null;
  /** Null until the first reply. */
  stay: Stay | null;
  position: number;
  /** The position in the answer on this connection; null before it. */
  joined: number | null;
  /**
   * Events of the past on this connection, until there is a newer one. Of two subscriptions that share a channel the
   * server brings what is past through the older one alone, so for the younger one it may come before its answer, and
   * mixed with what it brings itself.
   */
  past: Extract<Item, { readonly is: "event" }>[];
}

interface Asked {
  readonly event: string;
  readonly place: string;
  readonly filter: readonly string[] | null;
  readonly since: number | null;
}

export class RawReader implements Reader {
  readonly name: string;
  readonly isStrict = false;
  readonly transcripts: Transcript[] = [];
  readonly stays: Stay[] = [];
  readonly operations: Operation[] = [];
  readonly #world: World;
  readonly #wishes = new Map<string, Wish>();
  /** Channels, and the numbers of what was heard of in them. */
  readonly #heard = new Map<string, Set<number>>();
  #line: Line | null = null;
  #asked = new Map<string, Asked>();
  #underWay = new Map<string, Operation>();
  #requests = 0;
  #epoch = "";
  #isDone = false;

  constructor(name: string, world: World) {
    this.name = name;
    this.#world = world;
  }

  get connected(): boolean {
    return this.#line !== null;
  }

  get places(): readonly string[] {
    return [...this.#wishes.keys()];
  }

  connect(backwards = false): void {
    if (this.#line) return;
    const transcript: Transcript = {
      name: `${this.name}, connection ${this.transcripts.length + 1}`,
      entries: [],
      end: null,
      own: false,
      stalled: false,
    };
    this.transcripts.push(transcript);
    this.#asked = new Map();
    this.#underWay = new Map();
    this.#line = this.#world.connect({
      heard: (frame) => {
        if (this.#isDone) return;
        transcript.entries.push({ in: frame });
        this.#take(frame);
      },
      ended: (code, reason) => {
        if (this.#isDone) return;
        transcript.end = { code, reason };
        if (this.transcripts.at(-1) === transcript) this.#line = null;
      },
    });
    const wishes = [...this.#wishes.values()];
    for (const wish of wishes) Object.assign(wish, { joined: null, past: [] });
    for (const wish of backwards ? wishes.reverse() : wishes) this.#subscribe(wish, wish.filter);
    this.#work();
  }

  cut(): void {
    this.#leaveLine((line) => line.cut());
  }

  hangUp(): void {
    this.#leaveLine((line) => line.hangUp());
  }

  /** The server is about to be killed. */
  expectEnd(): void {
    const transcript = this.transcripts.at(-1);
    if (transcript) transcript.own = true;
  }

  done(): void {
    this.#isDone = true;
  }

  stall(): void {
    if (!this.#line) return;
    this.transcripts.at(-1)!.stalled = true;
    this.#line.stall();
  }

  flow(): void {
    this.#line?.flow();
  }

  join(place: string, options: { filter: readonly string[] | null; last: number | null }): void {
    const wish = this.#wishes.get(place);
    if (!wish) {
      const fresh: Wish = { place, ...options, stay: null, position: 0, joined: null, past: [] };
      this.#wishes.set(place, fresh);
      this.#subscribe(fresh, options.filter);
    } else if (this.#line) this.#subscribe(wish, options.filter);
  }

  leave(place: string): void {
    if (this.#line && this.#wishes.has(place)) {
      this.#ask("unsubscribe", { channel: place }, { place, since: null, filter: null });
    }
  }

  publish(operation: Operation): void {
    this.operations.push(operation);
    this.#work();
  }

  caughtUp(seals: ReadonlyMap<string, number>): boolean {
    if (!this.#line || this.#asked.size > 0 || this.#underWay.size > 0) return false;
    return [...this.#wishes.keys()].every((place) =>
      [...seals].every(([channel, n]) => !holds(place, channel) || this.#heard.get(channel)?.has(n))
    );
  }

  #leaveLine(by: (line: Line) => void): void {
    if (!this.#line) return;
    this.expectEnd();
    const line = this.#line;
    this.#line = null;
    by(line);
  }

  #send(frame: Heard): void {
    this.transcripts.at(-1)!.entries.push({ out: frame });
    this.#line?.send(frame);
  }

  #ask(event: string, data: Heard, asked: Omit<Asked, "event">): void {
    const id = `${event}-${++this.#requests}`;
    this.#asked.set(id, { event, ...asked });
    this.#send({ type: "request", id, event, data });
  }

  #subscribe(wish: Wish, filter: readonly string[] | null): void {
    if (!this.#line) return;
    const since = wish.stay ? wish.position : null;
    const from = since !== null
      ? { since: { epoch: this.#epoch, seq: since } }
      : wish.last !== null
      ? { last: wish.last }
      : {};
    const data = { channel: wish.place, ...from, ...(filter ? { events: filter } : {}) };
    this.#ask("subscribe", data, { place: wish.place, filter, since });
  }

  /** Send what was not sent, and again what has a key and was not answered. */
  #work(): void {
    if (!this.#line) return;
    const underWay = new Set(this.#underWay.values());
    for (const operation of this.operations) {
      if (this.#underWay.size >= WINDOW) return;
      if (operation.answered || underWay.has(operation)) continue;
      if (operation.sent > 0 && !operation.keyed) continue;
      const id = `operation-${operation.n}-${++operation.sent}`;
      this.#underWay.set(id, operation);
      this.#send({ ...operation.frame, id });
    }
  }

  #take(frame: Heard): void {
    const id = frame.correlation_id as string | null;
    if (id !== null && this.#asked.has(id)) return this.#answered(id, frame);
    if (id !== null && this.#underWay.has(id)) {
      if (frame.type !== "error") this.#underWay.get(id)!.answered = true;
      this.#underWay.delete(id);
      return this.#work();
    }
    if (frame.type !== "event" || typeof frame.seq !== "number") return;
    if (frame.event === "gap" || frame.event === "position") return this.#takeNotice(frame);
    const numbers = this.#heard.get(frame.room) ?? new Set();
    this.#heard.set(frame.room, numbers.add(frame.data.n));
    for (const wish of this.#wishes.values()) {
      if (!wish.stay || !holds(wish.place, frame.room) || frame.seq <= wish.position) continue;
      if (wish.filter && !wish.filter.includes(frame.event)) continue;
      wish.past.push({ is: "event", channel: frame.room, seq: frame.seq, id: frame.id });
      if (wish.joined !== null && frame.seq > wish.joined) this.#settlePast(wish);
    }
  }

  #settlePast(wish: Wish): void {
    for (const item of wish.past.sort((a, b) => a.seq - b.seq)) {
      // It may have asked for the same past twice.
      if (item.seq <= wish.position) continue;
      wish.position = item.seq;
      wish.stay!.items.push(item);
    }
    wish.past = [];
  }

  #takeNotice(frame: Heard): void {
    const wish = this.#wishes.get(frame.room);
    if (!wish?.stay) return;
    this.#settlePast(wish);
    if (frame.event === "position") wish.stay.items.push({ is: "position", seq: frame.data.seq });
    else wish.stay.items.push({ is: "gap", ...(frame.data as { from: number; to: number; cause: string }) });
    wish.position = Math.max(wish.position, frame.seq);
  }

  #answered(id: string, frame: Heard): void {
    const { event, place, filter, since } = this.#asked.get(id)!;
    this.#asked.delete(id);
    const wish = this.#wishes.get(place);
    if (!wish || frame.type === "error") return;
    if (event === "unsubscribe") {
      if (wish.stay) wish.stay.over = true;
      // It may have changed its mind before it was answered.
      const rejoins = [...this.#asked.values()].some((asked) =>
        asked.event === "subscribe" && asked.place === place
      );
      if (rejoins) Object.assign(wish, { stay: null, position: 0, joined: null, past: [] });
      else this.#wishes.delete(place);
      return;
    }
    this.#epoch = frame.data.epoch;
    const { seq, recovered, snapshot } = frame.data;
    const isOther = JSON.stringify(wish.filter) !== JSON.stringify(filter);
    // Whoever says nothing of where it is begins anew.
    if (!wish.stay || isOther || since === null) {
      if (wish.stay) wish.stay.over = true;
      wish.filter = filter;
      wish.stay = { place, filter, items: [{ is: "start", seq: since ?? seq }], over: false };
      wish.position = since ?? seq;
      this.stays.push(wish.stay);
    }
    // What cannot be replayed is told of by a gap that follows.
    if (recovered === undefined) wish.position = Math.max(wish.position, seq);
    if (snapshot) wish.stay.items.push({ is: "snapshot", seq, state: snapshot });
    wish.joined = seq;
    // What is told of by the gap or the snapshot is not told twice.
    if (!recovered) wish.past = wish.past.filter((item) => item.seq > seq);
    else if (since === seq) this.#settlePast(wish);
  }
}
