/**
 * Judges one connection by its frames alone: what came, in which order, and what of its subscriptions did not come.
 *
 * @module
 */
import {
  type Committed,
  type CommittedEvent,
  hasSnapshot,
  holds,
  isEphemeral,
  isWildcard,
} from "./committed.ts";
import { labelOf } from "./model-service.ts";
import type { Pulses } from "./pulses.ts";
import type { Heard, Operation, Transcript } from "./record.ts";
import { Violation } from "./violation.ts";

export interface Evidence {
  readonly committed: Committed;
  readonly pulses: Pulses;
  readonly operations: ReadonlyMap<number, Operation>;
  readonly prompt: boolean;
}

/** A subscription, from its reply on. */
interface Subscription {
  readonly place: string;
  readonly filter: ReadonlySet<string> | null;
  /** Everything after this seq is promised. */
  readonly start: number;
  /** Nothing up to this seq may come. */
  readonly floor: number;
  readonly joined: number;
  readonly replays: boolean;
  /** A gap notice is due that begins here. */
  gapDue: number | null;
  readonly gaps: { readonly from: number; readonly to: number }[];
}

/** Endings that are no fault: the server goes down, or this reader was slow. */
const GOING = [1001];
const SLOW = [4000, 1006, 1011];

export class ConnectionJudge {
  readonly #transcript: Transcript;
  readonly #evidence: Evidence;
  readonly #open = new Map<string, Heard>();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #delivered = new Map<number, { times: number; allowed: number; channel: string }>();
  readonly #newest = new Map<string, number>();
  /** What this connection has published as events, which is not to come back to it. */
  readonly #relayed = new Set<number>();
  /** The same, sent again: it may have been done the first time, over another connection. */
  readonly #relayedAgain = new Set<number>();
  /** What was open while the client changed where it is: events that wait for its answer go before that is answered. */
  readonly #overtaken = new Set<string>();
  /** So much comes that not all of it can wait within the server. */
  readonly #isHeavy: boolean;

  constructor(transcript: Transcript, evidence: Evidence) {
    this.#transcript = transcript;
    this.#evidence = evidence;
    this.#isHeavy = transcript.entries.some((entry) => "in" in entry && entry.in.data?.pad !== undefined);
  }

  /** @throws Violation */
  judge(): void {
    const { end, own, stalled, entries } = this.#transcript;
    for (const entry of entries) {
      if ("out" in entry) this.#sent(entry.out);
      else this.#came(entry.in);
    }
    if (!end) return this.#judgeOpen();
    if (own || GOING.includes(end.code) || (stalled && SLOW.includes(end.code))) return;
    // It came while the server went.
    if (end.code === 1006 && !entries.some((entry) => "in" in entry)) return;
    this.#fail(`ended with ${end.code} ${end.reason} for no reason`);
  }

  #fail(what: string): never {
    throw new Violation(`${this.#transcript.name}: ${what}`);
  }

  #sent(frame: Heard): void {
    this.#open.set(frame.id, frame);
    const [, n, attempt] = /^operation-(\d+)-(\d+)$/.exec(frame.id) ?? [];
    if (frame.type === "event") (attempt === "1" ? this.#relayed : this.#relayedAgain).add(Number(n));
    const open = [...this.#open.values()];
    if (open.some(movesClient)) { for (const { id } of open) this.#overtaken.add(id); }
  }

  #came(frame: Heard): void {
    if (frame.correlation_id !== null) return this.#answered(frame);
    if (frame.type !== "event") return this.#fail(`got ${JSON.stringify(frame).slice(0, 300)} unasked`);
    if (frame.event === "gap") return this.#gap(frame);
    if (frame.event === "position") return this.#position(frame);
    if (frame.room !== null) this.#event(frame);
  }

  // --- answers ---

  #answered(frame: Heard): void {
    const asked = this.#open.get(frame.correlation_id);
    if (!asked) this.#fail(`got an answer to ${frame.correlation_id}, which was not open`);
    this.#open.delete(frame.correlation_id);
    if (frame.type === "error") {
      this.#fail(`${asked.event} was refused with ${frame.error_code}: ${frame.error_message}`);
    }
    if (asked.event === "subscribe") this.#subscribed(asked.data, frame.data);
    if (asked.event === "unsubscribe") this.#subscriptions.delete(asked.data.channel);
  }

  #subscribed(asked: Heard, told: Heard): void {
    const { committed, prompt } = this.#evidence;
    const place: string = asked.channel;
    const { seq, epoch, recovered, snapshot } = told;
    if (told.channel !== place) this.#fail(`asked for ${place} and got ${told.channel}`);
    if (epoch !== committed.epoch) this.#fail(`${place} is told to be of epoch ${epoch}`);
    const ahead = Math.max(0, ...this.#newest.values());
    if (seq < ahead) this.#fail(`${place} is told to be at ${seq}, after ${ahead} was delivered`);
    const since: number | null = asked.since?.seq ?? null;
    if ((recovered === undefined) !== (since === null)) this.#fail(`${place}: recovered is ${recovered}`);
    if (prompt && since !== null) this.#judgeRecovery(place, since, told);
    if (hasSnapshot(place) && recovered !== true) this.#judgeSnapshot(place, seq, snapshot);
    const replays = recovered === true && !isEphemeral(place);
    const last = asked.last && since === null && !isEphemeral(place)
      ? committed.tail(place, asked.last, seq)
      : seq;
    const start = replays ? since! : prompt ? last : seq;
    const floor = replays ? since! : prompt ? last : asked.last ? 0 : seq;
    this.#askAnew(place, floor, seq);
    this.#subscriptions.set(place, {
      place,
      filter: asked.events ? new Set(asked.events) : null,
      start,
      floor,
      joined: seq,
      replays: replays || Boolean(asked.last),
      gapDue: recovered === false ? since : null,
      gaps: [],
    });
  }

  /** What was there and is asked for again may come again. */
  #askAnew(place: string, floor: number, joined: number): void {
    for (const [seq, delivery] of this.#delivered) {
      if (seq > floor && seq <= joined && holds(place, delivery.channel)) delivery.allowed++;
    }
    for (const [channel, seq] of this.#newest) {
      if (holds(place, channel) && seq > floor) this.#newest.set(channel, floor);
    }
  }

  #judgeRecovery(place: string, since: number, { seq, recovered }: Heard): void {
    const { committed } = this.#evidence;
    const possible = isEphemeral(place) ? since === seq : committed.evicted(place, seq) <= since;
    if (recovered === possible) return;
    const history = possible ? "still holds all of it" : "does not reach back so far";
    this.#fail(`${place} since ${since} is told to be recovered: ${recovered}, and the history ${history}`);
  }

  #judgeSnapshot(place: string, seq: number, snapshot: Heard | undefined): void {
    const expected = this.#evidence.committed.of(place).filter((event) => event.seq <= seq)
      .map(({ data }) => labelOf(data)).join(" ");
    const got = snapshot?.happened?.join(" ");
    if (got !== expected) {
      this.#fail(`the snapshot of ${place} at ${seq} says "${got}", expected "${expected}"`);
    }
  }

  // --- events ---

  #event(frame: Heard): void {
    const { room: channel, seq, data } = frame;
    if (frame.epoch !== this.#evidence.committed.epoch) {
      this.#fail(`event ${seq} of ${channel} is of epoch ${frame.epoch}`);
    }
    this.#judgeTruth(frame);
    const covering = [...this.#subscriptions.values()].filter((one) =>
      covers(one, channel, frame.event, seq)
    );
    if (covering.length === 0) this.#fail(`got event ${seq} of ${channel}, which it is not subscribed to`);
    for (const { place, gapDue } of covering) {
      if (gapDue !== null) this.#fail(`got event ${seq} of ${place} before the gap that it was told of`);
    }
    this.#judgeOwn(channel, seq, data, covering);
    const newest = this.#newest.get(channel) ?? 0;
    const before = this.#delivered.get(seq) ?? { times: 0, allowed: 1, channel };
    if (++before.times > before.allowed) this.#fail(`got event ${seq} of ${channel} again`);
    if (seq <= newest) this.#fail(`got event ${seq} of ${channel} after ${newest}`);
    this.#newest.set(channel, seq);
    this.#delivered.set(seq, before);
    for (const one of covering) {
      if (seq > one.joined || covering.length === 1) this.#judgeHoles(one, channel, seq);
    }
  }

  #judgeTruth(frame: Heard): void {
    const { room: channel, seq } = frame;
    const truth = this.#evidence.committed.at(seq) ?? this.#evidence.pulses.at(seq);
    if (!truth) this.#fail(`got event ${seq} of ${channel}, which was never committed`);
    for (const field of ["id", "event", "timestamp", "prev"] as const) {
      if (frame[field] === truth[field]) continue;
      this.#fail(`event ${seq} of ${channel} has ${field} ${frame[field]}, committed was ${truth[field]}`);
    }
    if (truth.channel !== channel) this.#fail(`event ${seq} of ${truth.channel} came in ${channel}`);
    if (JSON.stringify(frame.data) !== JSON.stringify(truth.data)) {
      this.#fail(`event ${seq} of ${channel} has other data than what was committed`);
    }
  }

  /** Nothing of a request before its answer, and nothing that the client has published as an event itself. */
  #judgeOwn(channel: string, seq: number, data: Heard, covering: readonly Subscription[]): void {
    const id = `operation-${data.n}-1`;
    const own = this.#open.get(id);
    // What a replay brings it has from the history, which knows nothing of causes: one that waits for its reader or for
    // the broker, or one that was asked for in the same breath. And only so much is held back for an answer.
    const waits = this.#transcript.stalled || this.#isHeavy || !this.#evidence.prompt;
    const isReplayed = waits && covering.some((one) => one.replays);
    if (isReplayed || this.#overtaken.has(id)) return;
    if (own && own.type === "request" && !this.#isHeavy) {
      this.#fail(`got event ${seq} of ${channel} before the answer to the request that caused it`);
    }
    if (this.#relayed.has(data.n) && covering.every(({ joined }) => seq > joined)) {
      this.#fail(`got event ${seq} of ${channel} back, which it has published itself`);
    }
  }

  // --- what must have come ---

  /** @throws Violation where the subscription has not brought something of the channel up to `seq`. */
  #judgeHoles(one: Subscription, channel: string, seq: number): void {
    const { committed, pulses } = this.#evidence;
    const events = isEphemeral(channel) ? pulses.of(channel) : committed.of(channel);
    const missing = events.find((event) => event.seq < seq && this.#isMissing(one, event));
    if (missing) this.#fail(`got no event ${missing.seq} of ${channel} through ${one.place}, but ${seq}`);
  }

  #isMissing(one: Subscription, event: CommittedEvent): boolean {
    const { committed } = this.#evidence;
    return covers(one, event.channel, event.event, event.seq) && event.seq > one.start &&
      !this.#delivered.has(event.seq) &&
      !this.#relayed.has(event.data.n) && !this.#relayedAgain.has(event.data.n) &&
      !one.gaps.some(({ from, to }) => event.seq > from && event.seq <= to) &&
      !committed.isOutdated(event);
  }

  #gap(frame: Heard): void {
    const { room: place, data: { from, to, cause } } = frame;
    const one = this.#subscriptions.get(place);
    const { committed, prompt } = this.#evidence;
    if (!one) this.#fail(`was told of a gap in ${place}, which it is not subscribed to`);
    const due = one.gapDue;
    // The position of a snapshot may be ahead of what a slow broker has brought.
    const isAhead = !prompt && due !== null && cause === "ahead";
    if (due !== null && ((from !== due && !isAhead) || to !== one.joined)) {
      this.#fail(`was told of a gap in ${place} from ${from} to ${to}, expected ${due} to ${one.joined}`);
    }
    const known = isAhead || cause === (isEphemeral(place) ? "ephemeral" : "history");
    if (!known || !(from <= to)) {
      this.#fail(`was told of a gap in ${place} from ${from} to ${to} by ${cause}`);
    }
    // A wildcard's replay that meets a hole in one channel gives up the others up to there, and brings what others share.
    const evicted = Math.max(...this.#sharing(place).map((one) => committed.evicted(one, Infinity)));
    if (!isAhead && !isEphemeral(place) && evicted <= from) {
      this.#fail(`was told of a gap in ${place} after ${from}, where the history holds all`);
    }
    if (frame.epoch !== committed.epoch) this.#fail(`a gap in ${place} is of epoch ${frame.epoch}`);
    one.gapDue = null;
    one.gaps.push({ from, to });
  }

  #position(frame: Heard): void {
    const { room: place, data: { seq, epoch } } = frame;
    const one = this.#subscriptions.get(place);
    if (!one) this.#fail(`was told of a position in ${place}, which it is not subscribed to`);
    if (epoch !== this.#evidence.committed.epoch) this.#fail(`a position in ${place} is of epoch ${epoch}`);
    // Another subscription may just be bringing what they share.
    if (this.#sharing(place).length === 1) {
      this.#judgeAll(one, seq, `was told to have seen all of ${place} up to ${seq}`);
    }
  }

  /** The place, and others of this client that have channels of it. */
  #sharing(place: string): string[] {
    return [...this.#subscriptions.keys()].filter((other) => holds(place, other) || holds(other, place));
  }

  #judgeAll(one: Subscription, seq: number, what: string): void {
    const { committed, pulses } = this.#evidence;
    const events = isEphemeral(one.place)
      ? pulses.between(one.place, one.start, seq)
      : committed.between(one.place, one.start, seq);
    const missing = events.find((event) => this.#isMissing(one, event));
    if (missing) this.#fail(`${what}, and got no event ${missing.seq} of ${missing.channel}`);
  }

  #judgeOpen(): void {
    const [id] = this.#open.keys();
    if (id !== undefined) this.#fail(`got no answer to ${id}`);
    for (const one of this.#subscriptions.values()) {
      if (one.gapDue !== null) this.#fail(`was not told of the gap in ${one.place} after ${one.gapDue}`);
      this.#judgeAll(one, Infinity, `is in ${one.place}${isWildcard(one.place) ? "" : " to the end"}`);
    }
  }
}

const movesClient = ({ event }: Heard): boolean => event === "subscribe" || event === "unsubscribe";

function covers(one: Subscription, channel: string, event: string, seq: number): boolean {
  return holds(one.place, channel) && seq > one.floor && (one.filter?.has(event) ?? true);
}
