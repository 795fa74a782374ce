/**
 * Gives out the seqs of a service, to events that have a row and to those that have none. So that no seq is given twice,
 * not even after `kill -9` or a loss of power, blocks of them are noted in the database before they are used; a process
 * that died leaves the rest of its block unused.
 *
 * @module
 */
import type { Database, Statement } from "../ports/database.ts";

/** Seqs per note. A block costs one write to the disk; what is left of it after a crash is a jump in numbers. */
const BLOCK = 4096;

export class SeqCounter {
  readonly epoch: string;
  readonly #database: Database;
  readonly #synchronous: number;
  readonly #read: Statement;
  readonly #write: Statement;
  #seq: number;
  #reserved: number;

  constructor(database: Database, newEpoch: () => string) {
    this.#database = database;
    this.#synchronous = database.prepare("PRAGMA synchronous").get<{ synchronous: number }>()?.synchronous ??
      2;
    database.prepare("INSERT OR IGNORE INTO event_meta (id, epoch, reserved) VALUES (1, ?, 0)").run(
      newEpoch(),
    );
    this.#read = database.prepare("SELECT epoch, reserved FROM event_meta");
    this.#write = database.prepare("UPDATE event_meta SET reserved = ?");
    const row = this.#read.get<{ epoch: string; reserved: number }>()!;
    this.epoch = row.epoch;
    this.#seq = this.#reserved = row.reserved;
  }

  /** The seq given last. */
  get seq(): number {
    return this.#seq;
  }

  /** Make sure of seqs for a while. Not inside a transaction, which could take the note back. */
  reserve(): void {
    if (this.#reserved - this.#seq >= BLOCK / 2) return;
    // The note must be on the disk before its seqs are seen outside, whatever is good enough for other commits.
    this.#database.exec("PRAGMA synchronous = FULL");
    try {
      this.#note(this.#seq + BLOCK);
    } finally {
      this.#database.exec(`PRAGMA synchronous = ${this.#synchronous}`);
    }
  }

  /** The first of `count` new seqs. */
  take(count: number): number {
    if (this.#seq + count > this.#reserved) this.#note(this.#seq + count + BLOCK);
    const first = this.#seq + 1;
    this.#seq += count;
    return first;
  }

  /** A transaction was undone: go back to where the counter stood before it. */
  restore(seq: number): void {
    this.#seq = seq;
    this.#reserved = this.#read.get<{ reserved: number }>()!.reserved;
  }

  /** Give back what is left of the block. Nothing may be taken afterwards. */
  close(): void {
    try {
      this.#note(this.#seq);
    } catch {
      // It stays unused, as after a crash: a disk that is full must keep nothing from closing.
    }
  }

  #note(reserved: number): void {
    this.#write.run(reserved);
    this.#reserved = reserved;
  }
}
