/**
 * Subscribers and publishers of one server, and what they measure together.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { setTimeout as pause } from "node:timers/promises";
import { deferred } from "./deferred.ts";
import { type Delays, DelaySample } from "./delays.ts";
import { type Dialect, type DialectName, DIALECTS } from "./dialects.ts";
import { Speaker } from "./speaker.ts";

export interface CrowdOptions {
  readonly port: number;
  readonly dialect: DialectName;
  readonly channel: string;
  readonly subscribers: number;
  readonly publishers: number;
  /** What an event's frame is to hold, in bytes. Default 300. */
  readonly eventBytes?: number;
}

export interface Deliveries extends Delays {
  /** Events that the server has taken. */
  readonly events: number;
  readonly deliveries: number;
  /** Deliveries that did not come. */
  readonly lost: number;
  /** From the first event to the last delivery. */
  readonly elapsedMs: number;
}

/** How many connections are opened at a time. */
const OPENING = 64;
/** Nothing has come for so long: nothing comes any more. */
const SILENCE_MS = 20_000;
/** Keeps the length of a time stamp the same. */
const EPOCH_MS = 10_000_000;

const STAMP = Buffer.from('"at":');
/** Its digits, the point and at most three more. */
const STAMP_BYTES = 12;

export class Crowd {
  readonly #dialect: Dialect;
  readonly #channel: string;
  readonly #subscribers: Speaker[] = [];
  readonly #publishers: Speaker[] = [];
  readonly #eventBytes: number;
  #pad = "";
  #delays = new DelaySample(1);
  #received = 0;
  #lastBytes = 0;
  #lastAt = 0;
  #answered: (speaker: Speaker) => void = () => {};

  private constructor({ dialect, channel, eventBytes = 300 }: CrowdOptions) {
    this.#dialect = DIALECTS[dialect];
    this.#channel = channel;
    this.#eventBytes = eventBytes;
  }

  static async open(options: CrowdOptions): Promise<Crowd> {
    const crowd = new Crowd(options);
    const speaker = () => new Speaker(options.port, options.dialect, crowd);
    for (let opened = 0; opened < options.subscribers; opened += OPENING) {
      const some = Array.from({ length: Math.min(OPENING, options.subscribers - opened) }, speaker);
      await Promise.all(some.map((subscriber) => subscriber.join(options.channel)));
      crowd.#subscribers.push(...some);
    }
    crowd.#publishers.push(...Array.from({ length: options.publishers }, speaker));
    await Promise.all(crowd.#publishers.map(({ ready }) => ready));
    if (options.subscribers > 0 && options.publishers > 0) await crowd.#fit();
    return crowd;
  }

  event(bytes: Buffer, from: number, to: number): void {
    this.#received++;
    if (!this.#delays.next()) return;
    this.#lastAt = performance.now();
    this.#lastBytes = to - from;
    const at = bytes.indexOf(STAMP, from) + STAMP.length;
    this.#delays.add(
      this.#lastAt + EPOCH_MS - Number.parseFloat(bytes.toString("latin1", at, at + STAMP_BYTES)),
    );
  }

  answer(speaker: Speaker): void {
    this.#answered(speaker);
  }

  /** Publish bursts at a pace, whatever the server makes of it. */
  async pace(bursts: number, burst: number, everyMs: number): Promise<Deliveries> {
    const deliveries = this.#count(bursts * burst);
    const begun = performance.now();
    const [publisher] = this.#publishers;
    for (let n = 0; n < bursts; n++) {
      const due = begun + n * everyMs;
      const waitMs = due - performance.now();
      if (waitMs > 0) await pause(waitMs);
      for (let i = 0; i < burst; i++) this.#publish(publisher!, due);
    }
    return await deliveries(bursts * burst, begun);
  }

  /** Publish as much as the server answers, each publisher with so many unanswered at most. */
  async publishAll(window: number, ms: number): Promise<Deliveries> {
    const deliveries = this.#count(window * ms);
    const begun = performance.now();
    let events = 0;
    const publish = (publisher: Speaker) => {
      events++;
      this.#publish(publisher, performance.now());
    };
    await this.#windows(window, begun + ms, publish, () => {});
    return await deliveries(events, begun);
  }

  /** Ask for a text back, as often as the server answers. */
  async echoAll(window: number, ms: number): Promise<{ answers: number; elapsedMs: number } & Delays> {
    const text = "x".repeat(100);
    const asked = new Map<Speaker, number[]>();
    const delays = new DelaySample(7);
    const begun = performance.now();
    let answers = 0;
    const ask = (speaker: Speaker) => {
      asked.get(speaker)!.push(performance.now());
      speaker.ask((id) => this.#dialect.echo(text, id));
    };
    for (const publisher of this.#publishers) asked.set(publisher, []);
    await this.#windows(window, begun + ms, ask, (speaker) => {
      const at = asked.get(speaker)!.shift()!;
      answers++;
      if (delays.next()) delays.add(performance.now() - at);
    });
    return { answers, elapsedMs: performance.now() - begun, ...delays.figures() };
  }

  close(): void {
    for (const speaker of [...this.#subscribers, ...this.#publishers]) speaker.close();
  }

  /** Keep every publisher's window full until a time, and wait for the last answer. */
  async #windows(
    window: number,
    until: number,
    say: (publisher: Speaker) => void,
    answered: (publisher: Speaker) => void,
  ): Promise<void> {
    const over = deferred();
    let open = this.#publishers.length * window;
    this.#answered = (publisher) => {
      answered(publisher);
      if (performance.now() < until) say(publisher);
      else if (--open === 0) over.resolve();
    };
    for (const publisher of this.#publishers) for (let i = 0; i < window; i++) say(publisher);
    await over.promise;
    this.#answered = () => {};
  }

  /** Begin to count. @returns a function that waits until as many have come as it is told. */
  #count(expected: number): (events: number, begun: number) => Promise<Deliveries> {
    this.#received = 0;
    // At most some ten thousand are looked at, and never always the same subscribers.
    const step = Math.floor(expected * this.#subscribers.length / 40_000);
    this.#delays = new DelaySample(step < 2 ? 1 : step | 1);
    return async (events, begun) => {
      const all = events * this.#subscribers.length;
      for (let silent = 0, before = -1; this.#received < all && silent < SILENCE_MS;) {
        silent = before === this.#received ? silent + 1 : 0;
        before = this.#received;
        await pause(1);
      }
      const elapsedMs = Math.max(this.#lastAt, begun) - begun;
      return {
        events,
        deliveries: this.#received,
        lost: all - this.#received,
        elapsedMs,
        ...this.#delays.figures(),
      };
    };
  }

  /** Find out how many letters make a frame as long as it is to be. */
  async #fit(): Promise<void> {
    const deliveries = this.#count(1);
    this.#publish(this.#publishers[0]!, performance.now());
    const { lost } = await deliveries(1, performance.now());
    if (lost > 0) {
      throw new Error(`${lost} of ${this.#subscribers.length} subscribers do not hear of an event`);
    }
    this.#pad = "x".repeat(Math.max(0, this.#eventBytes - this.#lastBytes));
  }

  /** Have an event happen. Those of the channel `news` tell of a change of state. */
  #publish(publisher: Speaker, due: number): void {
    const body = { at: (EPOCH_MS + due).toFixed(3), pad: this.#pad };
    const { publish, save } = this.#dialect;
    publisher.ask((id) => this.#channel === "news" ? save!(body, id) : publish(this.#channel, body, id));
  }
}
