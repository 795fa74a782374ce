/**
 * Blobs in the database: which there are, how they are, and which nobody needs. Their bytes are files.
 *
 * @module
 */
import type { Digest } from "../../../src/ports/blob-files.ts";
import type { Database, Statement } from "../../../src/ports/database.ts";

export interface BlobRow extends Digest {
  /** `corrupt`: its file was found to hold something else, or to be gone. */
  readonly state: "kept" | "corrupt";
}

export class BlobTable {
  readonly #find: Statement;
  readonly #put: Statement;
  readonly #touch: Statement;
  readonly #setState: Statement;
  readonly #remove: Statement;
  readonly #loosen: Statement;
  readonly #fasten: Statement;
  readonly #loose: Statement;
  readonly #totals: Statement;
  readonly #bytes: Statement;

  constructor(database: Database) {
    this.#find = database.prepare("SELECT sha256, size, state FROM blobs WHERE sha256 = ?");
    this.#put = database.prepare(
      "INSERT INTO blobs (sha256, size, state, touched_at) VALUES (?, ?, 'kept', ?)",
    );
    this.#touch = database.prepare("UPDATE blobs SET touched_at = ?, state = 'kept' WHERE sha256 = ?");
    this.#setState = database.prepare("UPDATE blobs SET state = ? WHERE sha256 = ?");
    this.#remove = database.prepare("DELETE FROM blobs WHERE sha256 = ?");
    this.#loosen = database.prepare("UPDATE blobs SET loose = 1 WHERE sha256 = ?");
    this.#fasten = database.prepare(
      "UPDATE blobs SET loose = 0 WHERE loose = 1 AND touched_at <= ? " +
        "AND (EXISTS (SELECT 1 FROM versions WHERE versions.sha256 = blobs.sha256) OR EXISTS " +
        "(SELECT 1 FROM distributions WHERE distributions.sha256 = blobs.sha256 AND ended_at IS NULL))",
    );
    this.#loose = database.prepare(
      "SELECT sha256, size, state FROM blobs WHERE loose = 1 AND touched_at <= ? LIMIT ?",
    );
    this.#bytes = database.prepare("SELECT bytes FROM blob_totals");
    this.#totals = database.prepare(
      "SELECT blobs, bytes, (SELECT count(*) FROM blobs WHERE state = 'corrupt') AS corrupt FROM blob_totals",
    );
  }

  find(sha256: string): BlobRow | undefined {
    const row = this.#find.get<BlobRow>(sha256);
    return row && { sha256: row.sha256, size: Number(row.size), state: row.state };
  }

  /** Note that the blob is there and sound, now. False where it was so before. */
  put({ sha256, size }: Digest, now: number): boolean {
    const known = this.find(sha256);
    if (known) this.#touch.run(now, sha256);
    else this.#put.run(sha256, size, now);
    return known?.state !== "kept";
  }

  setState(sha256: string, state: BlobRow["state"]): void {
    this.#setState.run(state, sha256);
  }

  remove(sha256: string): void {
    this.#remove.run(sha256);
  }

  /** It may be that nothing needs it any more. */
  loosen(sha256: string): void {
    this.#loosen.run(sha256);
  }

  /** Some that no version and no open distribution needs, uploaded at `before` or earlier. */
  unneeded(before: number, limit: number): BlobRow[] {
    this.#fasten.run(before);
    return this.#loose.all<BlobRow>(before, limit).map((row) => ({ ...row, size: Number(row.size) }));
  }

  /** Of all blobs. */
  bytes(): number {
    return Number(this.#bytes.get<{ bytes: number }>()?.bytes ?? 0);
  }

  totals(): { blobs: number; bytes: number; corrupt: number } {
    const row = this.#totals.get<{ blobs: number; bytes: number; corrupt: number }>();
    return {
      blobs: Number(row?.blobs ?? 0),
      bytes: Number(row?.bytes ?? 0),
      corrupt: Number(row?.corrupt ?? 0),
    };
  }
}
