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
import { FairPlaces, type GiveBack } from "./fair-places.ts";

export interface TransfersParts {
  readonly store: BlobStore;
  readonly commit: Commit<DhruvaContract>;
  readonly clock: Clock;
  /** Uploads and downloads at a time, of which no caller can take all. */
  readonly most: number;
  /** How long one may stand still; 0 for ever. */
  readonly idleMs: number;
  /** Told in the commit that has a blob stored. */
  readonly onStored: (sha256: string) => void;
}

/** Whom a transfer is for. */
export interface Asker {
  /** Whom it is counted for. @default one who is nobody in particular */
  readonly caller?: string;
  /** Aborted when nobody waits for it any more. @default never */
  readonly signal?: AbortSignal;
}

export interface Upload extends Pick<Asker, "caller"> {
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
  readonly #places: FairPlaces;

  constructor(parts: TransfersParts) {
    this.#parts = parts;
    this.#places = new FairPlaces(parts.most);
  }

  get activeCount(): number {
    return this.#places.taken;
  }

  /**
   * Take a blob in. Nothing is kept of one that does not come to its end, or has another hash.
   *
   * @throws {Refusal} INVALID_DATA, MESSAGE_TOO_LARGE; NOT_AVAILABLE where there is no room or too much is under way
   */
  async upload({ sha256, body, length, caller }: Upload): Promise<Stored> {
    expectHash(sha256);
    const { store, commit, onStored } = this.#parts;
    if (length !== null) store.expectFits(length);
    const giveBack = this.#begin(caller);
    try {
      const received = await this.#receive(body, length);
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
      giveBack();
    }
  }

  /**
   * What `download` would give, as far as that shows without reading it.
   *
   * @throws {Refusal} INVALID_DATA, NOT_FOUND; NOT_AVAILABLE where it is corrupt
   */
  async look(sha256: string): Promise<Digest> {
    expectHash(sha256);
    const { size } = await this.#parts.store.look(sha256);
    return { sha256, size };
  }

  /**
   * Give a blob out. It is looked over on its way, and broken off before its end where it is not what was stored.
   *
   * @throws {Refusal} INVALID_DATA, NOT_FOUND; NOT_AVAILABLE where it is known to be corrupt, or too much is under way
   */
  async download(
    sha256: string,
    { caller, signal }: Asker = {},
  ): Promise<Digest & { readonly body: ReadableStream<Uint8Array> }> {
    expectHash(sha256);
    const { store } = this.#parts;
    const giveBack = this.#begin(caller);
    let pieces: AsyncGenerator<Uint8Array, void, void> | null = null;
    const end = () => {
      giveBack();
      pieces?.return().catch(() => {});
    };
    try {
      const { size, state } = store.require(sha256);
      // Somebody may have put its file back.
      if (state === "corrupt") await store.verify(sha256, signal);
      pieces = store.read(sha256, signal);
      // What is no larger than a piece is looked over by now.
      const first = await pieces.next();
      signal?.throwIfAborted();
      const body = streamOf(resumed(first, pieces), { ...this.#pace, onEnd: end });
      return { sha256, size, body };
    } catch (error) {
      end();
      if (signal?.aborted) throw new Refusal("NOT_AVAILABLE", "Nobody waits for the blob any more");
      throw error;
    }
  }

  async #receive(body: ReadableStream<Uint8Array> | null, length: number | null) {
    try {
      return await this.#parts.store.receive(piecesOf(body, this.#pace), length);
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

  #begin(caller = ""): GiveBack {
    const place = this.#places.take(caller);
    if (typeof place !== "string") return place;
    const most = `${this.#parts.most}, setting transfers`;
    throw new Refusal(
      "NOT_AVAILABLE",
      place === "all"
        ? `As many blobs are on their way as may be (${most}): try again in a moment`
        : `As many blobs of yours are on their way as leave room for others (of ${most}): let one of them end`,
    );
  }
}

/** Pieces of which the first has been taken already. */
async function* resumed(
  first: IteratorResult<Uint8Array, void>,
  rest: AsyncGenerator<Uint8Array, void, void>,
): AsyncGenerator<Uint8Array, void, void> {
  if (first.done) return;
  yield first.value;
  yield* rest;
}

function expectHash(sha256: string): void {
  if (SHA256.test(sha256)) return;
  throw new Refusal(
    "INVALID_DATA",
    "Invalid address: expected a SHA-256 of 64 lower-case hexadecimal digits",
  );
}
