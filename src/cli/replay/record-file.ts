/**
 * The file that a record is read from, in pieces.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { openRecord, type Recording } from "../../recording/read-record.ts";
import { RecordError } from "../../recording/record.ts";
import { fileFault, isMissing, READ_FLAGS } from "../../runtimes/file-fault.ts";

const CHUNK_BYTES = 65_536;

/** @throws {RecordError} where it cannot be read twice, or is no record. */
export async function openRecordFile(path: string): Promise<Recording> {
  return await openRecord(chunksOf(path), path);
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* piecesOf(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw unreadable(path, isMissing(error) ? "there is no such file" : fileFault(error));
  }
}

/** A piece is good until the next one is asked for. */
async function* piecesOf(path: string): AsyncGenerator<Uint8Array> {
  const file = await open(path, READ_FLAGS);
  try {
    const facts = await file.stat();
    if (facts.isDirectory()) throw unreadable(path, "it is a folder; name a file");
    if (!facts.isFile()) {
      throw unreadable(
        path,
        "it is a pipe or a device, and a record is read twice; write it to a file first, and replay that",
      );
    }
    const piece = new Uint8Array(CHUNK_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(piece, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      yield piece.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

function unreadable(path: string, fault: string): RecordError {
  return new RecordError(`Cannot read "${path}": ${fault}`);
}
