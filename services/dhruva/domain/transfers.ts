/**
 * Blobs on their way in and out, through the HTTP port: so many at a time, and none that stands still.
 *
 * @module
 */
import type { Digest } from "../../../src/ports/blob-files.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Commit } from "../../../src/service/define-service.ts";
import { type PaceOptions, piecesOf, StalledError, streamOf } from "../../../src/service/byte-stream.ts";
import type { DhruvaContract } from "../contract.ts";
import type { BlobStore } from "./blob-store.ts";

export interface TransfersParts {
  readonly store: BlobStore;
  readonly commit: Commit<DhruvaContract>;
  readonly clock: Clock;
  /** Uploads and downloads at a time. */
  readonly most: number;
  /** How long one may stand still; 0 for ever. */
  readonly idleMs: number;
  /** Told in the commit that has a blob stored. */
  readonly onStored: (sha256: string) => void;
}

export interface Upload {
  readonly sha256: string;
  readonly body: ReadableStream<Uint8Array> | null;
  /** As the caller announces it; null where it does not. */
  readonly length: number | null;
}

export interface Stored extends Digest {
  /** False where it was there before. */
  readonly stored: boolean;
}

const SHA256 = /^[0-9a-f]{64}$/;

export class Transfers {
  readonly #parts: TransfersParts;
  #active = 0;

  constructor(parts: TransfersParts) {
    this.#parts = parts;
  }

  get activeCount(): number {
    return this.#active;
  }

  /**
   * Take a blob in. Nothing is kept of one that does not come to its end, or has another hash.
   *
   * @throws {Refusal} INVALID_DATA, MESSAGE_TOO_LARGE; NOT_AVAILABLE where there is no room or too much is under way
   */
  async upload({ sha256, body, length }: Upload): Promise<Stored> {
    expectHash(sha256);
    const { store, commit, onStored } = this.#parts;
    if (length !== null) store.expectFits(length);
    this.#begin();
    try {
      const received = await this.#receive(body);
      if (received.sha256 !== sha256) {
        await store.discard(received);
        throw new Refusal("INVALID_DATA", `The body's SHA-256 is ${received.sha256}, expected ${sha256}`);
      }
      const { size } = received;
      return await store.keep(received, (commitBlob) =>
        commit((told) => {
          const stored = commitBlob(told);
          if (stored) onStored(sha256);
          return { sha256, size, stored };
        }));
    } finally {
      this.#active--;
    }
  }

  /**
   * Give a blob out. It is looked over before anything of it leaves, and once more on its way.
   *
   * @throws {Refusal} INVALID_DATA, NOT_FOUND; NOT_AVAILABLE where it is corrupt or too much is under way
   */
  async download(sha256: string): Promise<Digest & { readonly body: ReadableStream<Uint8Array> }> {
    expectHash(sha256);
    const { store } = this.#parts;
    this.#begin();
    try {
      const { size } = await store.verify(sha256);
      const body = streamOf(store.read(sha256), { ...this.#pace, onEnd: () => this.#active-- });
      return { sha256, size, body };
    } catch (error) {
      this.#active--;
      throw error;
    }
  }

  async #receive(body: ReadableStream<Uint8Array> | null) {
    try {
      return await this.#parts.store.receive(piecesOf(body, this.#pace));
    } catch (error) {
      if (error instanceof StalledError) {
        throw new Refusal("NOT_AVAILABLE", `The upload was given up: ${error.message}`);
      }
      throw error;
    }
  }

  get #pace(): PaceOptions {
    return { clock: this.#parts.clock, idleMs: this.#parts.idleMs };
  }

  #begin(): void {
    if (this.#active >= this.#parts.most) {
      throw new Refusal(
        "NOT_AVAILABLE",
        `As many blobs are on their way as may be (${this.#parts.most}, setting transfers): try again in a moment`,
      );
    }
    this.#active++;
  }
}

function expectHash(sha256: string): void {
  if (SHA256.test(sha256)) return;
  throw new Refusal(
    "INVALID_DATA",
    "Invalid address: expected a SHA-256 of 64 lower-case hexadecimal digits",
  );
}
