/**
 * Contents by their SHA-256, each a file of its own beside the database. A file gets its name when all of it is on disk
 * and hashed, in one turn with the commit that tells of it; it is removed in one turn with the commit that forgets it.
 *
 * @module
 */
import { type BlobFiles, type Digest, DigestError } from "../../../src/ports/blob-files.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import type { Files } from "../../../src/ports/files.ts";
import type { Log } from "../../../src/ports/log.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Commit, Transaction } from "../../../src/service/define-service.ts";
import type { DhruvaContract } from "../contract.ts";
import type { BlobRow, BlobTable } from "./blob-table.ts";
import { OneAtATime } from "./one-at-a-time.ts";
import { type Reservation, Room } from "./room.ts";

export interface BlobStoreParts {
  readonly folder: string;
  readonly table: BlobTable;
  readonly commit: Commit<DhruvaContract>;
  readonly clock: Clock;
  readonly log: Log;
  readonly files: Files;
  readonly workspace: Workspace;
  readonly blobFiles: BlobFiles;
  /** Largest blob, in bytes. */
  readonly blobBytes: number;
  /** All blobs together, those on their way in included, in bytes; 0 for no limit. */
  readonly totalBytes: number;
  /** How long a blob that nobody needs is kept after it was uploaded. */
  readonly orphanMs: number;
  /** Told in the commit that finds a blob corrupt. */
  readonly onCorrupt: (sha256: string, error: string) => void;
}

/** Content on disk that has no name yet. `keep` or `discard` it. */
export interface Received extends Digest {
  readonly path: string;
  readonly reservation: Reservation;
}

type Told = Transaction<DhruvaContract>;

const INCOMING = "incoming";
const SHA256 = /^[0-9a-f]{64}$/;
/** Blobs that are collected in one commit. */
const BATCH = 100;

export class BlobStore {
  readonly #parts: BlobStoreParts;
  /** Names of files and rows of the table change in turns, so that they never part. */
  readonly #turns = new OneAtATime();
  readonly #room: Room;

  constructor(parts: BlobStoreParts) {
    this.#parts = parts;
    this.#room = new Room(parts.totalBytes, () => parts.table.bytes());
  }

  /** Make the folders, and remove what a process that was killed has left without a row. */
  async open(): Promise<void> {
    const { files, workspace, blobFiles, folder, table } = this.#parts;
    const incoming = files.resolve(folder, INCOMING);
    await files.makeFolder(incoming);
    for (const name of await blobFiles.list(incoming)) await workspace.remove(files.resolve(incoming, name));
    for (const part of await blobFiles.list(folder)) {
      if (!/^[0-9a-f]{2}$/.test(part)) continue;
      for (const name of await blobFiles.list(files.resolve(folder, part))) {
        if (SHA256.test(name) && !table.find(name)) await workspace.remove(files.resolve(folder, part, name));
      }
    }
  }

  /**
   * Take content in, without a name yet.
   *
   * @param announced how large it says to be, in bytes; null where it does not
   * @throws {Refusal} MESSAGE_TOO_LARGE, NOT_AVAILABLE where there is no more room; nothing is left then
   */
  async receive(pieces: AsyncIterable<Uint8Array>, announced: number | null = null): Promise<Received> {
    const { files, blobFiles, folder, blobBytes } = this.#parts;
    const reservation = this.#room.reserve(announced ?? 0);
    if (!reservation) throw full();
    const path = files.resolve(folder, INCOMING, crypto.randomUUID());
    let received: Received | null = null;
    try {
      const digest = await blobFiles.write(path, fitting(pieces, reservation, blobBytes), blobBytes);
      if (!digest) throw tooLarge(blobBytes);
      received = { ...digest, path, reservation };
      return received;
    } finally {
      if (!received) reservation.release();
    }
  }

  /** @throws {Refusal} MESSAGE_TOO_LARGE */
  expectFits(bytes: number): void {
    if (bytes > this.#parts.blobBytes) throw tooLarge(this.#parts.blobBytes);
  }

  async discard({ path, reservation }: Received): Promise<void> {
    await this.#parts.workspace.remove(path).catch((error) =>
      this.#parts.log.warn("A temporary file is left behind", { error })
    );
    reservation.release();
  }

  /**
   * Give content its name, and commit `change` with it. Where that throws, neither is there.
   *
   * @param change is told whether the blob is new, or has been corrupt
   */
  async keep<T>(received: Received, change: (commitBlob: (told: Told) => boolean) => T): Promise<T> {
    const { table, clock, files, workspace, blobFiles } = this.#parts;
    const { sha256, reservation } = received;
    const path = this.#path(sha256);
    return await this.#turns.run(async () => {
      try {
        await files.makeFolder(files.resolve(path, ".."));
        await blobFiles.move(received.path, path);
        return change((told) => {
          const isNew = table.put(received, clock.now());
          if (isNew) tellBlob(told, "stored", received);
          return isNew;
        });
      } catch (error) {
        await this.discard(received);
        if (!table.find(sha256)) await workspace.remove(path);
        throw error;
      } finally {
        // By now it counts as kept, if it is.
        reservation.release();
      }
    });
  }

  /** @throws {Refusal} NOT_FOUND */
  require(sha256: string): BlobRow {
    const row = this.#parts.table.find(sha256);
    if (!row) throw new Refusal("NOT_FOUND", `No blob '${sha256}'`);
    return row;
  }

  /**
   * Make sure that a blob holds what it should.
   *
   * @throws {Refusal} NOT_FOUND, NOT_AVAILABLE where it is corrupt, which is then told
   */
  async verify(sha256: string, signal?: AbortSignal): Promise<BlobRow> {
    const row = this.require(sha256);
    const isSound = await this.#isSound(row, signal);
    if (isSound && row.state === "kept") return row;
    return await this.#turns.run(() => this.#judge(sha256, signal));
  }

  /**
   * A blob that is there, as far as that shows without reading it: it was looked over when it was stored.
   *
   * @throws {Refusal} as `verify` does
   */
  async look(sha256: string): Promise<BlobRow> {
    const row = this.require(sha256);
    if (row.state === "corrupt") throw corrupt(sha256);
    if (await this.#parts.blobFiles.size(this.#path(sha256)) === row.size) return row;
    return await this.#turns.run(() => this.#judge(sha256));
  }

  /**
   * The content, piece by piece; the last one only where all of it is sound.
   *
   * @param signal aborted, nobody waits for it any more
   * @throws {Refusal} from its iterator, as `verify` does
   */
  async *read(sha256: string, signal?: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    const row = this.require(sha256);
    try {
      yield* this.#parts.blobFiles.read(this.#path(sha256), row);
    } catch (error) {
      if (!(error instanceof DigestError)) throw error;
      await this.verify(sha256, signal);
      throw new Refusal("NOT_AVAILABLE", `Blob '${sha256}' was changed while it was read: try again`);
    }
  }

  /** It may be that nothing needs it any more; for the commit by which that is so. */
  loosen(sha256: string): void {
    this.#parts.table.loosen(sha256);
  }

  /** Remove what nobody needs any more. */
  async collect(): Promise<void> {
    const { table, commit, clock, orphanMs, workspace } = this.#parts;
    for (;;) {
      const collected = await this.#turns.run(async () => {
        const rows = commit((transaction) => {
          const unneeded = table.unneeded(clock.now() - orphanMs, BATCH);
          for (const row of unneeded) {
            table.remove(row.sha256);
            tellBlob(transaction, "collected", row);
          }
          return unneeded;
        });
        for (const { sha256 } of rows) await workspace.remove(this.#path(sha256));
        return rows.length;
      });
      if (collected < BATCH) return;
    }
  }

  /** Resolves when no file is about to get or lose its name. */
  async idle(): Promise<void> {
    await this.#turns.idle();
  }

  async #isSound({ sha256, size }: BlobRow, signal?: AbortSignal): Promise<boolean> {
    const { blobFiles } = this.#parts;
    const path = this.#path(sha256);
    if (await blobFiles.size(path) !== size) return false;
    const digest = await blobFiles.digest(path, signal);
    return digest?.sha256 === sha256 && digest.size === size;
  }

  /** In a turn, so that no upload mends the file meanwhile. */
  async #judge(sha256: string, signal?: AbortSignal): Promise<BlobRow> {
    const { table, commit, log, onCorrupt } = this.#parts;
    const row = this.require(sha256);
    if (await this.#isSound(row, signal)) {
      if (row.state !== "kept") commit(() => table.setState(sha256, "kept"));
      return { ...row, state: "kept" };
    }
    const error = corrupt(sha256);
    if (row.state !== "corrupt") {
      log.error("A blob is corrupt", { sha256 });
      commit((transaction) => {
        table.setState(sha256, "corrupt");
        onCorrupt(sha256, error.message);
        tellBlob(transaction, "corrupt", row);
      });
    }
    throw error;
  }

  #path(sha256: string): string {
    return this.#parts.files.resolve(this.#parts.folder, sha256.slice(0, 2), sha256);
  }
}

/** The pieces as long as there is room for them. What is too large for a blob is left to whoever writes it. */
async function* fitting(
  pieces: AsyncIterable<Uint8Array>,
  reservation: Reservation,
  blobBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  let size = 0;
  for await (const piece of pieces) {
    size += piece.byteLength;
    if (size <= blobBytes && !reservation.grow(size)) throw full();
    yield piece;
  }
}

function corrupt(sha256: string): Refusal {
  return new Refusal("NOT_AVAILABLE", `Blob '${sha256}' is corrupt: upload it again`);
}

function tellBlob(told: Told, operation: "stored" | "corrupt" | "collected", { sha256, size }: Digest): void {
  told.emit("storage.event", {
    storage_type: "blob",
    operation,
    sha256,
    size,
    adapter_id: null,
    version: null,
  });
}

function full(): Refusal {
  return new Refusal(
    "NOT_AVAILABLE",
    "There is no more room: raise setting total_blob_bytes, or wait until old versions are collected",
  );
}

function tooLarge(most: number): Refusal {
  return new Refusal("MESSAGE_TOO_LARGE", `The content is larger than ${most} bytes (setting blob_bytes)`);
}
