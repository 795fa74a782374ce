/**
 * The public keys of an issuer, kept for a while and read anew when they change. However many tokens come, and whatever
 * they name, the source is asked once per cooldown.
 *
 * @module
 */
import type { Clock } from "../ports/clock.ts";
import type { Log } from "../ports/log.ts";
import { type KeyAlgorithm, type PublicKey, readKeys } from "./key-list.ts";

export interface KeySetOptions {
  /** The text of the key set as it is now. Rejects where it cannot be had, with an `Error` whose message ends a sentence
   * that begins with "expected". */
  readonly read: () => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
  /** Time between two reads, whatever the first one gave, in milliseconds. @default 30_000 */
  readonly cooldownMs?: number;
  /** Age from which on keys are read anew before they are used, in milliseconds. @default 600_000 */
  readonly maxAgeMs?: number;
}

export type FoundKey =
  | { readonly ok: true; readonly key: CryptoKey }
  /** `unavailable`: no such key is known, and whether there is one cannot be found out at the moment. */
  | { readonly ok: false; readonly reason: "unknown" | "unavailable" };

export class KeySet {
  readonly #options: Required<KeySetOptions>;
  #keys: readonly PublicKey[] = [];
  /** When the keys were read, and when that was last tried; monotonic milliseconds. */
  #readAt: number | null = null;
  #triedAt: number | null = null;
  /** Why the last try failed; null where it did not. */
  #fault: Error | null = null;
  #reading: Promise<void> | null = null;

  constructor(options: KeySetOptions) {
    this.#options = { cooldownMs: 30_000, maxAgeMs: 600_000, ...options };
  }

  /**
   * The key for a token. Waits for a read where the keys are old or the key is unknown; while the source is out of
   * reach, the keys that were known go on being used, without a wait.
   *
   * @param id The token's `kid`; undefined where it has none, which is enough where only one key fits.
   */
  async find(algorithm: KeyAlgorithm, id: string | undefined): Promise<FoundKey> {
    if (this.#isOld()) {
      const known = this.#fault !== null && this.#pick(algorithm, id);
      const reading = this.#readAgain();
      if (known) return { ok: true, key: known.key };
      await reading;
    }
    if (!this.#pick(algorithm, id)) await this.#readAgain();
    const found = this.#pick(algorithm, id);
    if (found) return { ok: true, key: found.key };
    return { ok: false, reason: this.#fault === null ? "unknown" : "unavailable" };
  }

  /**
   * Read the keys before the first token comes.
   *
   * @returns why that failed, or null. It will be tried again.
   */
  async prepare(): Promise<Error | null> {
    await this.#readAgain();
    if (this.#fault === null && this.#keys.length === 0) {
      return new Error("a JSON Web Key Set with a key for RS256, ES256 or EdDSA, got none");
    }
    return this.#fault;
  }

  #isOld(): boolean {
    return this.#readAt === null || this.#options.clock.monotonic() - this.#readAt >= this.#options.maxAgeMs;
  }

  #pick(algorithm: KeyAlgorithm, id: string | undefined): PublicKey | null {
    const fitting = this.#keys.filter((key) =>
      key.algorithm === algorithm && (id === undefined || key.id === id)
    );
    return fitting.length === 1 ? fitting[0]! : null;
  }

  /** Read, or wait for the read under way; nothing where the last one was a moment ago. Never rejects. */
  #readAgain(): Promise<void> {
    if (this.#reading) return this.#reading;
    const { clock, cooldownMs } = this.#options;
    const now = clock.monotonic();
    if (this.#triedAt !== null && now - this.#triedAt < cooldownMs) return Promise.resolve();
    this.#triedAt = now;
    this.#reading = this.#read().finally(() => this.#reading = null);
    return this.#reading;
  }

  async #read(): Promise<void> {
    const { read, clock, log } = this.#options;
    try {
      this.#keys = await readKeys(await read());
      this.#readAt = clock.monotonic();
      if (this.#fault) log.info("Keys for tokens can be read again");
      this.#fault = null;
      if (this.#keys.length === 0) log.warn("The key set holds no key that a token can be checked with");
    } catch (error) {
      this.#fault = error as Error;
      const reason = `expected ${this.#fault.message}`;
      log.warn("Keys for tokens could not be read", { reason, known: this.#keys.length });
    }
  }
}
