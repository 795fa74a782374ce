/**
 * Storing a version of an adapter: its content gets its name, its record becomes a row, old versions go, and all of it
 * is told, in one commit.
 *
 * @module
 */
import type { Call } from "../../../src/ports/call.ts";
import type { Clock } from "../../../src/ports/clock.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { Commit, Transaction } from "../../../src/service/define-service.ts";
import type { Digest } from "../../../src/ports/blob-files.ts";
import type { DhruvaContract } from "../contract.ts";
import { type AdapterRecord, readRecord, type RecordInput, writeRecord } from "./adapter-record.ts";
import type { AdapterTable, VersionRow } from "./adapter-table.ts";
import type { BlobStore } from "./blob-store.ts";
import type { DhruvaSettings } from "./settings.ts";

export interface StoreInput extends RecordInput {
  readonly changelog?: string | null | undefined;
  readonly content?: string | null | undefined;
  readonly sha256?: string | null | undefined;
  readonly expected_version?: string | null | undefined;
}

export interface StoreParts {
  readonly adapters: AdapterTable;
  readonly blobs: BlobStore;
  readonly commit: Commit<DhruvaContract>;
  readonly clock: Clock;
  readonly settings: Pick<DhruvaSettings, "adapters" | "keep_versions">;
}

export interface StoreAnswer extends Digest {
  readonly success: true;
  readonly adapter_id: string;
  readonly version: string;
  readonly message: string;
}

type Told = Transaction<DhruvaContract>;

/** @returns the answer, and whether old versions went */
export async function storeAdapter(
  parts: StoreParts,
  input: StoreInput,
  call: Call | undefined,
): Promise<{ readonly answer: StoreAnswer; readonly pruned: boolean }> {
  const { blobs, commit } = parts;
  if (input.content != null && input.sha256 != null) {
    throw new Refusal("INVALID_DATA", "Expected at most one of 'content' and 'sha256', got both");
  }
  if (input.content != null && !input.content.isWellFormed()) {
    throw new Refusal(
      "INVALID_DATA",
      "Invalid field 'content': it holds half a character (a lone surrogate)",
    );
  }
  const text = writeRecord(input);
  // Read back, as it holds what JSON keeps of what came.
  const version: NewVersion = { record: readRecord(text), text, changelog: input.changelog ?? "" };
  const expected = input.expected_version ?? null;
  // Before anything is written; and again in the commit, as others write meanwhile.
  if (!parts.adapters.findVersion(version.record.adapter_id, input.version)) {
    expectVersion(parts, version.record, expected);
  }
  let pruned = false;
  const change = (told: Told, content: Digest) => {
    const known = repeated(parts, version, content, expected);
    if (known) return answerOf(known, "was stored before");
    pruned = add(parts, told, version, content, expected);
    return answerOf({ ...version.record, ...content }, "is stored");
  };
  if (input.sha256 != null) {
    const { sha256 } = input;
    await blobs.verify(sha256);
    // Looked at again in the commit: it may have been collected meanwhile.
    return { answer: commit((told) => change(told, blobs.require(sha256)), call), pruned };
  }
  const received = await blobs.receive(once(input.content ?? text));
  const answer = await blobs.keep(received, (commitBlob) =>
    commit((told) => {
      if (commitBlob(told)) parts.adapters.setMended(received.sha256);
      return change(told, { sha256: received.sha256, size: received.size });
    }, call));
  return { answer, pruned };
}

interface NewVersion {
  readonly record: AdapterRecord;
  readonly text: string;
  readonly changelog: string;
}

/**
 * The version as it stands, where it is the current one and the same in everything.
 *
 * @throws {Refusal} CONFLICT where it is there and not the same
 */
function repeated(
  { adapters }: StoreParts,
  { record, text, changelog }: NewVersion,
  { sha256 }: Digest,
  expected: string | null,
): VersionRow | null {
  const { adapter_id: id, version } = record;
  const known = adapters.findVersion(id, version);
  if (!known) return null;
  const isSame = known.record === text && known.changelog === changelog && known.sha256 === sha256;
  const current = adapters.require(id).version;
  if (isSame && current === version) return known;
  if (expected !== null && expected !== current) throw movedOn(id, expected, current);
  throw new Refusal(
    "CONFLICT",
    `Version '${version}' of adapter '${id}' exists already${isSame ? "" : " with something else in it"}: ` +
      "a version is never changed, take another one",
  );
}

function expectVersion(
  { adapters }: StoreParts,
  { adapter_id: id }: Pick<AdapterRecord, "adapter_id">,
  expected: string | null,
): void {
  if (expected === null) return;
  const current = adapters.find(id)?.version ?? "";
  if (expected !== current) throw movedOn(id, expected, current);
}

function movedOn(id: string, expected: string, current: string): Refusal {
  const said = (version: string) => version === "" ? "no such adapter" : `version '${version}'`;
  return new Refusal(
    "CONFLICT",
    `Adapter '${id}': expected ${said(expected)}, found ${
      said(current)
    }: read it again, and store on top of that`,
  );
}

/** True where old versions went. */
function add(
  parts: StoreParts,
  told: Told,
  { record, text, changelog }: NewVersion,
  content: Digest,
  expected: string | null,
): boolean {
  const { adapters, blobs, settings, clock } = parts;
  const { adapter_id, version } = record;
  const { sha256, size } = content;
  expectVersion(parts, record, expected);
  const isNew = adapters.find(adapter_id) === undefined;
  if (isNew && settings.adapters > 0 && adapters.totals().adapters >= settings.adapters) {
    throw new Refusal(
      "NOT_AVAILABLE",
      `There are as many adapters as may be (${settings.adapters}, setting adapters)`,
    );
  }
  adapters.store(record, text, changelog, content, clock.now());
  const data = { adapter_id, version, sha256, size, changelog };
  if (isNew) told.emit("adapter.stored", data);
  else told.emit("adapter.updated", data);
  tellVersion(told, "stored", data);
  const old = adapters.prune(adapter_id, settings.keep_versions);
  for (const row of old) {
    blobs.loosen(row.sha256);
    tellVersion(told, "deleted", row);
  }
  return old.length > 0;
}

function tellVersion(
  told: Told,
  operation: "stored" | "deleted",
  { adapter_id, version, sha256, size }: Pick<VersionRow, "adapter_id" | "version" | "sha256" | "size">,
): void {
  told.emit("storage.event", { storage_type: "database", operation, sha256, size, adapter_id, version });
}

function answerOf(
  { adapter_id, version, sha256, size }: Pick<VersionRow, "adapter_id" | "version" | "sha256" | "size">,
  what: string,
): StoreAnswer {
  const message = `Version '${version}' of adapter '${adapter_id}' ${what}`;
  return { success: true, adapter_id, version, sha256, size, message };
}

async function* once(text: string): AsyncGenerator<Uint8Array, void, void> {
  yield await Promise.resolve(new TextEncoder().encode(text));
}
