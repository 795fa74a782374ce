/**
 * Many answers in a few long arrays. As objects they would live just long enough to be copied by the garbage collector
 * twice each, which costs more than all the rest of a small request; here it has nothing to look at.
 *
 * @module
 */
import { utf8Length } from "../protocol/utf8.ts";
import { keyedHash } from "./keyed-hash.ts";

/** What an answer is kept under, and what is needed to find it quickly. */
export interface PackName {
  readonly text: string;
  /** Of `text`, in UTF-8. */
  readonly bytes: number;
  readonly hash: number;
}

export interface PackedAnswer {
  readonly digest: string;
  readonly answer: string;
  /** As it was saved. */
  readonly at: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
let words = new Int32Array(256);
let scratch = new Uint8Array(words.buffer);

/** A UTF-16 unit has at most three bytes in UTF-8. */
const UNIT_BYTES = 3;
const FIRST_BYTES = 4_096;
/** A power of two. */
const FIRST_SLOTS = 64;

/** What is known of an entry: its hash, where it begins, how many bytes its name has and the whole, units of the digest. */
const FIELDS = 5;
const [HASH, START, NAME, WHOLE, DIGEST] = [0, 1, 2, 3, 4] as const;

/** @param text Well-formed. */
export function packName(text: string): PackName {
  const bytes = intoScratch(text);
  return { text, bytes, hash: keyedHash(words, (bytes + 3) >> 2) };
}

/** Write a text to the beginning of `scratch` and fill its last word with zeros. Returns its bytes. */
function intoScratch(text: string): number {
  const most = text.length * UNIT_BYTES + words.BYTES_PER_ELEMENT;
  if (most > scratch.length) {
    words = new Int32Array(most);
    scratch = new Uint8Array(words.buffer);
  }
  const bytes = encoder.encodeInto(text, scratch).written;
  scratch[bytes] = scratch[bytes + 1] = scratch[bytes + 2] = 0;
  return bytes;
}

export class AnswerPack {
  /** Of each entry the name, the digest and the answer, one behind the other. */
  #bytes: Uint8Array;
  #used = 0;
  #entries: Int32Array;
  #times: Float64Array;
  #count = 0;
  /** The number of an entry, counted from 1, at the place that its hash tells or at the next free one; 0: free. */
  #slots: Int32Array;

  /** @param like Has room from the start for as much as this one holds. */
  constructor(like?: AnswerPack) {
    const slots = like ? like.#slots.length : FIRST_SLOTS;
    this.#bytes = new Uint8Array(Math.max(FIRST_BYTES, like?.bytes ?? 0));
    this.#slots = new Int32Array(slots);
    this.#entries = new Int32Array(slots / 2 * FIELDS);
    this.#times = new Float64Array(slots / 2);
  }

  /** Answers that were saved, those that were replaced included. */
  get count(): number {
    return this.#count;
  }

  /** Bytes of all that was saved. */
  get bytes(): number {
    return this.#used;
  }

  find(name: PackName): PackedAnswer | undefined {
    const entry = this.#slots[this.#slotOf(name)]! - 1;
    if (entry < 0) return undefined;
    const field = entry * FIELDS;
    const start = this.#entries[field + START]!;
    const rest = this.#bytes.subarray(
      start + this.#entries[field + NAME]!,
      start + this.#entries[field + WHOLE]!,
    );
    const text = decoder.decode(rest);
    const digest = this.#entries[field + DIGEST]!;
    return { digest: text.slice(0, digest), answer: text.slice(digest), at: this.#times[entry]! };
  }

  /** Keep an answer, instead of the former one of its name. Digest and answer are well-formed. */
  save(name: PackName, { digest, answer, at }: PackedAnswer): void {
    if (this.#count === this.#times.length) this.#widen();
    const entry = this.#count++;
    const field = entry * FIELDS;
    this.#times[entry] = at;
    this.#entries[field + HASH] = name.hash;
    this.#entries[field + START] = this.#used;
    this.#entries[field + NAME] = name.bytes;
    this.#entries[field + WHOLE] = this.#write(name.text + digest + answer);
    this.#entries[field + DIGEST] = digest.length;
    this.#slots[this.#slotOf(name)] = entry + 1;
  }

  #write(text: string): number {
    if (this.#used + text.length * UNIT_BYTES > this.#bytes.length) this.#lengthen(utf8Length(text));
    const { written } = encoder.encodeInto(text, this.#bytes.subarray(this.#used));
    this.#used += written;
    return written;
  }

  #lengthen(by: number): void {
    const before = this.#bytes;
    if (this.#used + by <= before.length) return;
    this.#bytes = new Uint8Array(Math.max(2 * before.length, this.#used + by));
    this.#bytes.set(before.subarray(0, this.#used));
  }

  #widen(): void {
    const { length } = this.#slots;
    const [entries, times] = [this.#entries, this.#times];
    this.#entries = new Int32Array(2 * entries.length);
    this.#entries.set(entries);
    this.#times = new Float64Array(2 * times.length);
    this.#times.set(times);
    const slots = this.#slots = new Int32Array(2 * length);
    const mask = slots.length - 1;
    // The newest first: a former one of the same name is then behind it and never found.
    for (let entry = this.#count; entry > 0; entry--) {
      let slot = entries[(entry - 1) * FIELDS + HASH]! & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = entry;
    }
  }

  /** Where the name stands, or is to stand. */
  #slotOf(name: PackName): number {
    const mask = this.#slots.length - 1;
    let slot = name.hash & mask;
    for (let entry = this.#slots[slot]!; entry !== 0; entry = this.#slots[slot]!) {
      if (this.#isNamed((entry - 1) * FIELDS, name)) break;
      slot = (slot + 1) & mask;
    }
    return slot;
  }

  #isNamed(field: number, name: PackName): boolean {
    if (this.#entries[field + HASH] !== name.hash || this.#entries[field + NAME] !== name.bytes) return false;
    intoScratch(name.text);
    const start = this.#entries[field + START]!;
    for (let i = 0; i < name.bytes; i++) if (this.#bytes[start + i] !== scratch[i]) return false;
    return true;
  }
}
