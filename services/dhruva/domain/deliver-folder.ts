/**
 * Delivery to a folder: `{folder}/{domain}/{key}/{provider}/{version}`. What the folder answers with is the file, read
 * back from it.
 *
 * @module
 */
import type { BlobFiles } from "../../../src/ports/blob-files.ts";
import type { Files } from "../../../src/ports/files.ts";
import type { Workspace } from "../../../src/ports/workspace.ts";
import { DeliveryError, type Parcel } from "./parcel.ts";

export interface FolderParts {
  readonly files: Files;
  readonly workspace: Workspace;
  readonly blobFiles: BlobFiles;
}

/** @returns the SHA-256 of what is in the folder now. @throws {DeliveryError} and what the file system says */
export async function deliverToFolder(
  { files, workspace, blobFiles }: FolderParts,
  folder: string,
  parcel: Parcel,
  signal: AbortSignal,
): Promise<string> {
  // A folder that is not there may be a disk that is not mounted: making it would fill the wrong one.
  const root = await workspace.realPath(files.resolve(folder));
  if (root === undefined || (await workspace.facts(root))?.kind !== "folder") {
    throw new DeliveryError(`The folder "${folder}" does not exist: make it, or mount it`);
  }
  const place = await placeIn({ files, workspace }, root, parcel.adapter_id.split(":"));
  const name = files.resolve(place, parcel.version);
  if (await files.kind(name) === "folder") {
    throw new DeliveryError(`There is a folder at "${name}": remove it`);
  }
  const temporary = files.resolve(place, `.${parcel.version}.${parcel.distribution_id}.part`);
  // Left behind by an attempt that was killed.
  await workspace.remove(temporary);
  try {
    await blobFiles.write(temporary, until(parcel.read(), signal), parcel.size);
    await blobFiles.move(temporary, name);
  } catch (error) {
    await workspace.remove(temporary).catch(() => {});
    throw error;
  }
  const stored = await blobFiles.digest(name);
  if (!stored) throw new DeliveryError(`The file "${name}" is not there, although it was written`);
  return stored.sha256;
}

/** Folders below the root, one after the other, so that no link on the way leads out of it. */
async function placeIn(
  { files, workspace }: Pick<FolderParts, "files" | "workspace">,
  root: string,
  names: readonly string[],
): Promise<string> {
  let at = root;
  for (const name of names) {
    const next = files.resolve(at, name);
    await files.makeFolder(next);
    if (await workspace.realPath(next) !== next) {
      throw new DeliveryError(`The folder "${next}" is a link, which may lead anywhere: remove it`);
    }
    at = next;
  }
  return at;
}

async function* until(
  pieces: AsyncGenerator<Uint8Array, void, void>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const piece of pieces) {
    if (signal.aborted) throw new DeliveryError("It took too long");
    yield piece;
  }
}
