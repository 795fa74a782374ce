/**
 * Files whose content is known by its SHA-256, written and read piece by piece, so that none is ever whole in memory.
 *
 * @module
 */

/** What a file holds. */
export interface Digest {
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

/** A file that does not hold what it should. */
export class DigestError extends Error {
  override readonly name = "DigestError";
}

/** Every method rejects with a sentence that names the path, besides what is said. */
export interface BlobFiles {
  /**
   * Write all pieces to a new file, on disk when it resolves. Where there is a file already, or `pieces` fails, it
   * rejects and leaves nothing of its own; a failure of `pieces` is passed on as it is.
   *
   * @returns null where there are more than `maxBytes`; nothing is left then.
   */
  write(path: string, pieces: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Digest | null>;
  /** Give a file its final name, in place of a file that has it; on disk when it resolves. */
  move(from: string, to: string): Promise<void>;
  /**
   * What a file holds, read to its end; undefined where there is no file, or something that is none.
   *
   * @param signal aborted, nothing more is read, and it rejects with the signal's reason
   */
  digest(path: string, signal?: AbortSignal): Promise<Digest | undefined>;
  /** Bytes of a file; undefined where there is none, or something that is none. */
  size(path: string): Promise<number | undefined>;
  /**
   * The file's content. Its last piece is given only where all of it is what was expected.
   *
   * @throws {DigestError} where it is not, or there is no file.
   */
  read(path: string, expected: Digest): AsyncGenerator<Uint8Array, void, void>;
  /** Names of what is in a folder; none where there is no folder. */
  list(folder: string): Promise<string[]>;
}
