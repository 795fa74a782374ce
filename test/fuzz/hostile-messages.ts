/**
 * Messages that a client should not send: frames of every form with one thing or several wrong, and bytes that are no
 * frame. All of them are made of a seed.
 *
 * @module
 */
import { CONNECTION_REQUEST_NAMES, SERVICE_REQUEST_NAMES } from "../../src/protocol/common-requests.ts";
import type { Contract, EventSpec } from "../../src/protocol/contract.ts";
import { FRAME_TYPES } from "../../src/protocol/envelope.ts";
import { objectSchema } from "../../src/mcp/tool-schema.ts";
import { hostileValue, randomText } from "./hostile-values.ts";
import { Lexeme, type Loose, type LooseObject, Members, writeLoosely } from "./loose-json.ts";
import type { SeededRandom } from "./seeded-random.ts";
import { type JsonSchema, type Known, validInput } from "./valid-inputs.ts";

type Said = "valid request" | "mutated request" | "common request" | "published";

/** A text message, or a binary one. */
export type Message = string | Uint8Array;

export class HostileMessages {
  readonly #contract: Contract;
  readonly #random: SeededRandom;
  readonly #known: Known;
  readonly #inputs: readonly (readonly [name: string, input: JsonSchema])[];
  readonly #published: readonly (readonly [name: string, input: JsonSchema])[];
  readonly #words: readonly string[];
  #count = 0;

  constructor(contract: Contract, random: SeededRandom, known: Known) {
    this.#contract = contract;
    this.#random = random;
    this.#known = known;
    const schema = (of: Parameters<typeof objectSchema>[0]) => objectSchema(of) as JsonSchema;
    this.#inputs = Object.entries(contract.requests).map(([name, { input }]) => [name, schema(input)]);
    this.#published = Object.entries<EventSpec>(contract.events)
      .map(([name, { data, published }]) => [name, schema(published ?? data)]);
    this.#words = [
      ...Object.keys(contract.requests),
      ...Object.keys(contract.events),
      ...CONNECTION_REQUEST_NAMES,
      ...SERVICE_REQUEST_NAMES,
    ];
  }

  next(): Message {
    const random = this.#random;
    this.#count++;
    const form = random.weighted<Said | "envelope" | "text" | "binary">([
      [22, "valid request"],
      [36, "mutated request"],
      [14, "common request"],
      [6, "published"],
      [8, "envelope"],
      [9, "text"],
      [5, "binary"],
    ]);
    if (form === "text") return this.#mutatedText(this.#anyText());
    if (form === "binary") return this.#binary();
    const text = form === "envelope" ? this.#brokenEnvelope() : this.#text(form);
    return random.chance(0.1) ? new TextEncoder().encode(text) : text;
  }

  #anyText(): string {
    return this.#text(
      this.#random.pick<Said>(["valid request", "mutated request", "common request", "published"]),
    );
  }

  #text(form: Said): string {
    return writeLoosely(this.#envelope(...this.#said(form)));
  }

  /** Type, event and data of a frame. */
  #said(form: Said): [type: Loose, event: Loose, data: Loose] {
    const random = this.#random;
    if (form === "common request") return this.#common();
    if (form === "published") {
      const [event, schema] = random.pick(this.#published);
      const data = this.#perhapsMutated(validInput(schema, random, this.#known));
      return random.chance(0.5)
        ? ["event", event, data]
        : ["request", "publish", this.#perhapsMutated({ event, data, channel: this.#channel() })];
    }
    // In turn, so that none is left out.
    const [name, schema] = this.#inputs[this.#count % this.#inputs.length]!;
    const data = validInput(schema, random, this.#known);
    if (random.chance(0.1)) {
      data.idempotency_key = random.pick<Loose>(["once", "twice", randomText(random), 5]);
    }
    return [
      random.chance(0.95) ? "request" : "event",
      name,
      form === "valid request" ? data : this.#mutated(data),
    ];
  }

  #common(): [type: Loose, event: Loose, data: Loose] {
    const random = this.#random;
    const name = random.pick([
      "subscribe",
      "subscribe",
      "unsubscribe",
      ...CONNECTION_REQUEST_NAMES,
      ...SERVICE_REQUEST_NAMES,
    ]);
    const [event] = random.pick(this.#published);
    const all: LooseObject = {
      channel: this.#channel(),
      room: this.#channel(),
      since: { epoch: this.#epoch(), seq: random.below(300) },
      last: random.below(20),
      limit: random.below(50),
      events: [event],
      token: randomText(random),
      event,
      data: {},
    };
    const data: LooseObject = {};
    for (const [key, value] of Object.entries(all)) {
      if (random.chance(key === "channel" ? 0.9 : 0.2)) data[key] = value;
    }
    const isType = ["subscribe", "unsubscribe", "ping"].includes(name) && random.chance(0.5);
    return [isType ? name : random.pick(["request", "request", "event"]), name, this.#perhapsMutated(data)];
  }

  #channel(): Loose {
    const random = this.#random;
    const [kind, { id }] = random.pick(Object.entries(this.#contract.channels));
    if (random.chance(0.15)) return hostileValue(random);
    if (id === undefined) return random.chance(0.9) ? kind : `${kind}:a`;
    return random.chance(0.15) ? `${kind}:*` : `${kind}:${random.pick([...this.#known.of(id), "a"])}`;
  }

  #epoch(): string {
    return this.#random.pick([...this.#known.of("epoch"), "another"]);
  }

  #perhapsMutated(data: LooseObject): LooseObject {
    return this.#random.chance(0.4) ? this.#mutated(data) : data;
  }

  /** A copy of an object with one to three members replaced, left out, added or doubled, at any depth. */
  #mutated(data: LooseObject): LooseObject {
    const copy = structuredClone(data);
    for (let count = 1 + this.#random.below(3); count > 0; count--) this.#mutate(copy);
    return copy;
  }

  #mutate(object: LooseObject): void {
    const random = this.#random;
    const keys = Object.keys(object);
    if (keys.length === 0 || random.chance(0.05)) {
      object[random.pick(["extra", "constructor", "toString", "", "then", ...keys])] = hostileValue(random);
      return;
    }
    const key = random.pick(keys);
    const value = object[key]!;
    if (random.chance(0.05)) delete object[key];
    else if (Array.isArray(value) && value.length > 0 && random.chance(0.7)) {
      const at = random.below(value.length);
      const item = value[at];
      if (isObject(item) && random.chance(0.7)) this.#mutate(item);
      else value[at] = hostileValue(random);
    } else if (isObject(value) && random.chance(0.6)) this.#mutate(value);
    else object[key] = hostileValue(random);
  }

  #envelope(type: Loose, event: Loose, data: Loose): LooseObject {
    const random = this.#random;
    const id = `f${this.#count}`;
    const ids = random.weighted<() => LooseObject>([
      [60, () => ({ id })],
      [15, () => ({ correlation_id: id })],
      [10, () => ({ id, correlation_id: `c${this.#count}` })],
      [5, () => ({ id: this.#uuid(), correlation_id: this.#uuid() })],
      [5, () => ({})],
      [5, () => ({ id: hostileValue(random) })],
    ])();
    const more: LooseObject = random.chance(0.05)
      ? {
        traceparent: random.pick<Loose>(["00-" + "a".repeat(32) + "-" + "b".repeat(16) + "-01", "00-x", 5]),
      }
      : {};
    const room: LooseObject = random.chance(0.1) ? { room: this.#channel() } : {};
    return { type, ...ids, event, data, ...room, ...more };
  }

  /** As a client of the Python layer makes them. */
  #uuid(): string {
    const hex = Buffer.from(this.#random.bytes(16)).toString("hex");
    return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})(.{12})$/, "$1-$2-4$3-8$4-$5");
  }

  /** A frame whose envelope itself is wrong. */
  #brokenEnvelope(): string {
    const random = this.#random;
    const envelope = this.#envelope(
      random.pick(FRAME_TYPES),
      random.pick(this.#words),
      random.pick<Loose>([{}, { channel: "global" }]),
    );
    const keys = [
      "type",
      "event",
      "data",
      "room",
      "id",
      "correlation_id",
      "timestamp",
      "error_code",
      "error_message",
    ];
    for (let count = random.below(3); count > 0; count--) {
      const key = random.pick(keys);
      if (random.chance(0.2)) delete envelope[key];
      else envelope[key] = hostileValue(random);
    }
    const entries = Object.entries(envelope);
    if (random.chance(0.15)) entries.push([random.pick(keys), hostileValue(random)]);
    if (random.chance(0.1)) entries.push(["__proto__", { type: "request", event: "ping" }]);
    if (random.chance(0.1)) entries.sort(() => random.next() - 0.5);
    return writeLoosely(random.chance(0.9) ? new Members(entries) : hostileValue(random));
  }

  /** Text with characters lost, doubled, exchanged or added. */
  #mutatedText(text: string): string {
    const random = this.#random;
    let result = text;
    for (let count = 1 + random.below(4); count > 0; count--) {
      const at = random.below(result.length + 1);
      const [before, after] = [result.slice(0, at), result.slice(at)];
      result = random.weighted<() => string>([
        [4, () => before + after.slice(1 + random.below(3))],
        [3, () => before + random.pick([...'{}[]",:\\ \n\t0-e', "\u0000", "\ufeff", "🙂"]) + after],
        [2, () => before],
        [2, () => before + result.slice(random.below(result.length + 1))],
        [1, () => before + randomText(random) + after],
        [1, () => " ".repeat(random.below(1_000)) + result + "\n".repeat(random.below(10))],
        [1, () => result + result],
        [1, () => result.replaceAll('"', random.pick(["'", "", "“"]))],
      ])();
    }
    // A cut may have gone through a pair, which no UTF-8 can say.
    return result.toWellFormed();
  }

  #binary(): Uint8Array {
    const random = this.#random;
    const text = this.#anyText();
    const bytes = new TextEncoder().encode(text);
    return random.weighted<() => Uint8Array>([
      [2, () => new Uint8Array()],
      [2, () => random.bytes(random.below(200))],
      [2, () => Uint8Array.of(0xef, 0xbb, 0xbf, ...bytes.subarray(0, 10_000))],
      [2, () => new Uint8Array(Buffer.from(text.slice(0, 10_000), "utf16le"))],
      // Surrogates as UTF-8 would write them, an overlong slash, a point beyond Unicode, a character cut short.
      [2, () => spliced(bytes, random.below(bytes.length), random.pick(BAD_UTF8))],
      [3, () => bytes.map((byte) => random.chance(0.01) ? random.below(256) : byte)],
      [2, () => bytes.subarray(0, random.below(bytes.length))],
      [1, () => Buffer.from(bytes.toReversed())],
    ])();
  }
}

const BAD_UTF8 = [
  [0xed, 0xa0, 0x80],
  [0xed, 0xb0, 0x80],
  [0xc0, 0xaf],
  [0xf4, 0x90, 0x80, 0x80],
  [0xe2, 0x82],
  [0xff],
  [0x80],
];

function spliced(bytes: Uint8Array, at: number, inserted: readonly number[]): Uint8Array {
  return Buffer.concat([bytes.subarray(0, at), Uint8Array.from(inserted), bytes.subarray(at)]);
}

function isObject(value: unknown): value is LooseObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Lexeme) &&
    !(value instanceof Members);
}
