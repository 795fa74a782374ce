/**
 * Files known by their SHA-256, by `node:fs` and `node:crypto`, on every runtime. See `BlobFiles`.
 *
 * @module
 */
import { createHash, type Hash } from "node:crypto";
import { type FileHandle, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type BlobFiles, type Digest, DigestError } from "../ports/blob-files.ts";
import { isMissing, READ_FLAGS, said } from "./file-fault.ts";
import { listFolder } from "./list-folder.ts";

const PIECE_BYTES = 65_536;

export const blobFiles: BlobFiles = {
  async write(path, pieces, maxBytes) {
    const file = await said("write", path, () => open(path, "wx"));
    let digest: Digest | null = null;
    try {
      digest = await fill(file, path, pieces, maxBytes);
    } finally {
      await file.close().catch(() => {});
      if (digest === null) await rm(path, { force: true }).catch(() => {});
    }
    return digest;
  },
  async move(from, to) {
    await said("write", to, () => rename(from, to));
    await syncFolder(dirname(to));
    // That folder may be new itself.
    await syncFolder(dirname(dirname(to)));
  },
  async digest(path, signal) {
    signal?.throwIfAborted();
    const file = await openFile(path);
    if (!file) return undefined;
    try {
      const hash = createHash("sha256");
      let size = 0;
      for await (const piece of piecesOf(file, path)) {
        signal?.throwIfAborted();
        size += count(hash, piece);
      }
      return { sha256: hash.digest("hex"), size };
    } finally {
      await file.close().catch(() => {});
    }
  },
  async size(path) {
    return await said("read", path, async () => {
      try {
        const facts = await stat(path);
        return facts.isFile() ? facts.size : undefined;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    });
  },
  async *read(path, expected) {
    const file = await openFile(path);
    if (!file) throw new DigestError(`Cannot read "${path}": there is no such file`);
    try {
      const hash = createHash("sha256");
      let size = 0;
      let held: Uint8Array | null = null;
      for await (const piece of piecesOf(file, path)) {
        size += count(hash, piece);
        if (size > expected.size) break;
        if (held) yield held;
        held = piece;
      }
      if (size !== expected.size || hash.digest("hex") !== expected.sha256) {
        throw new DigestError(`Cannot read "${path}": it does not hold what was stored`);
      }
      if (held) yield held;
    } finally {
      await file.close().catch(() => {});
    }
  },
  list: listFolder,
};

async function fill(
  file: FileHandle,
  path: string,
  pieces: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Digest | null> {
  const hash = createHash("sha256");
  let size = 0;
  for await (const piece of pieces) {
    size += count(hash, piece);
    if (size > maxBytes) return null;
    await said("write", path, () => writeAll(file, piece));
  }
  await said("write", path, () => file.sync());
  return { sha256: hash.digest("hex"), size };
}

async function writeAll(file: FileHandle, piece: Uint8Array): Promise<void> {
  let written = 0;
  while (written < piece.byteLength) {
    written += (await file.write(piece, written, piece.byteLength - written)).bytesWritten;
  }
}

function count(hash: Hash, piece: Uint8Array): number {
  hash.update(piece);
  return piece.byteLength;
}

/** Undefined where there is no file, or something that is none. */
async function openFile(path: string): Promise<FileHandle | undefined> {
  return await said("read", path, async () => {
    let file: FileHandle;
    try {
      file = await open(path, READ_FLAGS);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    if ((await file.stat()).isFile()) return file;
    await file.close();
    return undefined;
  });
}

/** Each piece has memory of its own, as its reader may keep it. */
async function* piecesOf(file: FileHandle, path: string): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0;;) {
    const piece = new Uint8Array(PIECE_BYTES);
    const { bytesRead } = await said("read", path, () => file.read(piece, 0, PIECE_BYTES, at));
    if (bytesRead === 0) return;
    at += bytesRead;
    yield piece.subarray(0, bytesRead);
  }
}

/** A name is on disk when its folder is. Not every system lets a folder be opened. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch(() => undefined);
  if (!folder) return;
  await folder.sync().catch(() => {});
  await folder.close().catch(() => {});
}
