/**
 * The library's client as a reader of a run. It comes back by itself; a recorder stands between it and its socket.
 *
 * @module
 */
import type { Client, Subscription, WebSocketClass, WebSocketLike } from "../../src/client/mod.ts";
import { createClient } from "../../src/client/mod.ts";
import { holds, isEphemeral } from "./committed.ts";
import type { Reader } from "./reader.ts";
import type { Stay, Transcript } from "./record.ts";
import type { Line, World } from "./world.ts";

interface Listening {
  readonly stay: Stay;
  readonly subscription: Subscription;
  /** Channels, and the numbers of what was heard of in them. */
  readonly heard: Map<string, Set<number>>;
}

export interface LibraryReaderOptions {
  /** See `SubscribeOptions`; 1 makes it let go of its channel with every event. */
  readonly bufferSize?: number;
  /** Whether it is in a channel and in the wildcard of its kind at once. @default true */
  readonly overlaps?: boolean;
}

export class LibraryReader implements Reader {
  readonly name: string;
  readonly isStrict = true;
  readonly transcripts: Transcript[] = [];
  readonly stays: Stay[] = [];
  readonly #world: World;
  readonly #options: LibraryReaderOptions;
  readonly #listening = new Map<string, Listening>();
  #client: Client | null = null;
  #line: Line | null = null;
  /** Requests of this connection that are not answered. */
  #open = new Set<string>();
  #isDone = false;
  /** When last asked, everything had come that was asked for. */
  #isWhole = false;

  constructor(name: string, world: World, options: LibraryReaderOptions = {}) {
    this.name = name;
    this.#world = world;
    this.#options = options;
  }

  /** It sees to that itself. */
  get connected(): boolean {
    return this.#client !== null;
  }

  connect(): void {
    const { clock } = this.#world;
    this.#client ??= createClient({
      url: "ws://model.invalid",
      WebSocket: this.#socketClass(),
      minDelayMs: 4,
      maxDelayMs: 20,
      random: () => 0.5,
      ...(clock ? { clock } : {}),
    });
  }

  cut(): void {
    this.expectEnd();
    this.#line?.cut();
  }

  /** Whoever hangs up does not come back, so it is cut instead. */
  hangUp(): void {
    this.cut();
  }

  expectEnd(): void {
    const transcript = this.transcripts.at(-1);
    if (transcript) transcript.own = true;
  }

  stall(): void {
    if (!this.#line) return;
    this.transcripts.at(-1)!.stalled = true;
    this.#line.stall();
  }

  flow(): void {
    this.#line?.flow();
  }

  join(place: string, { filter, last }: { filter: readonly string[] | null; last: number | null }): void {
    const { bufferSize, overlaps = true } = this.#options;
    const present = this.#listening.get(place);
    const shares = [...this.#listening.keys()].some((other) => holds(place, other) || holds(other, place));
    if (!overlaps && !present && shares) return;
    // Of what nothing is kept it would lose the last event too, which tells that all has come.
    if (bufferSize !== undefined && isEphemeral(place)) return;
    if (present && JSON.stringify(present.stay.filter) === JSON.stringify(filter)) return;
    const since = present?.subscription.position;
    this.leave(place);
    const subscription = this.#client!.subscribe(place, {
      ...(bufferSize === undefined ? {} : { bufferSize }),
      ...(filter ? { events: filter } : {}),
      ...(since ? { since } : last === null ? {} : { last }),
    });
    const stay: Stay = { place, filter, items: [], over: false };
    const listening = { stay, subscription, heard: new Map() };
    this.#listening.set(place, listening);
    this.stays.push(stay);
    void this.#listen(listening, since?.seq ?? null);
  }

  leave(place: string): void {
    const listening = this.#listening.get(place);
    if (!listening) return;
    listening.stay.over = true;
    listening.stay.reached = listening.subscription.position?.seq;
    this.#listening.delete(place);
    listening.subscription.close();
  }

  caughtUp(seals: ReadonlyMap<string, number>): boolean {
    if (this.#open.size > 0) return false;
    let isWhole = true;
    for (const [place, { heard, stay }] of this.#listening) {
      const isComplete = [...seals].every(([channel, n]) =>
        !holds(place, channel) || heard.get(channel)?.has(n)
      );
      // What it was told to be lost it need not wait for.
      if (stay.items.length === 0 || !(isComplete || stay.items.some(({ is }) => is === "gap"))) return false;
      isWhole &&= isComplete;
    }
    this.#isWhole = isWhole;
    return true;
  }

  done(): void {
    this.#isDone = true;
    for (const { stay, subscription } of this.#listening.values()) stay.reached = subscription.position?.seq;
    // Nobody can tell then whether all has come by now.
    const transcript = this.transcripts.at(-1);
    if (transcript && !this.#isWhole) {
      Object.assign(transcript, { own: true, end: { code: 1006, reason: "" } });
    }
    this.#client?.close();
  }

  async #listen({ stay, subscription, heard }: Listening, since: number | null): Promise<void> {
    const { ready } = subscription;
    // First of the items, whatever has come by then.
    void ready.then(
      ({ position }) => stay.items.unshift({ is: "start", seq: since ?? position!.seq }),
      () => {},
    );
    for await (const item of subscription) {
      // One that was handed over when it left is read all the same: the position says so.
      if (this.#isDone) return;
      if (item.type === "gap") {
        const { channel, from, to, cause } = item;
        const own = channel === stay.place ? {} : { channel };
        stay.items.push({ is: "gap", from: from!, to: to!, cause, ...own });
      } else if (item.type === "snapshot") {
        stay.items.push({ is: "snapshot", seq: item.seq, state: item.snapshot });
      } else {
        const { channel, id, seq, data } = item;
        stay.items.push({ is: "event", channel, seq: seq!, id });
        const numbers = heard.get(channel) ?? new Set();
        heard.set(channel, numbers.add(data.n));
      }
    }
  }

  /** A WebSocket that is a line of the world, and writes down what goes over it. */
  #socketClass(): WebSocketClass {
    const open = (socket: WebSocketLike): { line: Line; transcript: Transcript } => {
      const transcript: Transcript = {
        name: `${this.name}, connection ${this.transcripts.length + 1}`,
        entries: [],
        end: null,
        own: false,
        stalled: false,
      };
      this.transcripts.push(transcript);
      const unanswered = this.#open = new Set<string>();
      const line = this.#world.connect({
        heard: (frame) => {
          if (this.#isDone) return;
          transcript.entries.push({ in: frame });
          unanswered.delete(frame.correlation_id);
          socket.onmessage?.({ data: JSON.stringify(frame) } as never);
        },
        ended: (code, reason) => {
          if (this.#isDone) return;
          transcript.end = { code, reason };
          if (this.#line === line) this.#line = null;
          socket.onclose?.({ code, reason } as never);
        },
      });
      const send = line.send;
      this.#line = line;
      const recorded: Line = {
        ...line,
        send(frame) {
          if (transcript.end) return;
          transcript.entries.push({ out: frame });
          unanswered.add(frame.id);
          send(frame);
        },
        hangUp() {
          transcript.own = true;
          line.hangUp();
        },
      };
      return { line: recorded, transcript };
    };
    return class implements WebSocketLike {
      onopen: WebSocketLike["onopen"] = null;
      onmessage: WebSocketLike["onmessage"] = null;
      onclose: WebSocketLike["onclose"] = null;
      onerror: WebSocketLike["onerror"] = null;
      readonly #line: Line;

      constructor() {
        const { line, transcript } = open(this);
        this.#line = line;
        // What is sent before it is really open waits in the line.
        queueMicrotask(() => {
          if (!transcript.end) this.onopen?.(undefined as never);
        });
      }

      send(text: string): void {
        this.#line.send(JSON.parse(text));
      }

      close(): void {
        this.#line.hangUp();
      }
    };
  }
}
