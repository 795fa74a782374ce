/**
 * Elements of diagrams in the database. A deleted element is kept as it was sent, as a tombstone: an editor that was away
 * while it was deleted has an older state of it, which must not win.
 *
 * @module
 */
import type { Database, Statement } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import { type JsonObject, stringifyJson } from "../../../src/protocol/json.ts";
import { utf8Length } from "../../../src/protocol/utf8.ts";
import { type Growth, readObject } from "./diagrams.ts";
import { type CheckedElement, invalid } from "./element.ts";
import { inOrder, supersedes } from "./merge.ts";

/** What came of a change. */
export interface Merged {
  /** The elements as they are now, in the order in which they came. */
  readonly applied: JsonObject[];
  /** Ids of the elements that were left as they are. */
  readonly discarded: string[];
  readonly growth: Growth;
}

interface Present {
  number: number;
  version: number;
  nonce: number;
  bytes: number;
  deleted_at: number | null;
}

/** Diagrams in which one sweep looks for tombstones. */
const SWEPT_DIAGRAMS = 256;

export class Elements {
  readonly #find: Statement;
  readonly #insert: Statement;
  readonly #replace: Statement;
  readonly #all: Statement;
  readonly #live: Statement;
  readonly #tombstones: Statement;
  readonly #purge: Statement;
  readonly #elementBytes: number;

  constructor(database: Database, elementBytes: number) {
    this.#elementBytes = elementBytes;
    this.#find = database.prepare(
      "SELECT number, version, nonce, bytes, deleted_at FROM elements WHERE diagram_id = ? AND element_id = ?",
    );
    this.#insert = database.prepare(
      "INSERT INTO elements (diagram_id, element_id, version, nonce, element, bytes, deleted_at) " +
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
    );
    this.#replace = database.prepare(
      "UPDATE elements SET version = ?, nonce = ?, element = ?, bytes = ?, deleted_at = ? WHERE number = ?",
    );
    this.#all = database.prepare("SELECT element FROM elements WHERE diagram_id = ? ORDER BY number");
    this.#live = database.prepare(
      "SELECT element FROM elements WHERE diagram_id = ? AND deleted_at IS NULL ORDER BY number",
    );
    this.#tombstones = database.prepare(
      "SELECT diagram_id, count(*) AS count, sum(bytes) AS bytes FROM elements " +
        `WHERE deleted_at IS NOT NULL AND deleted_at <= ? GROUP BY diagram_id LIMIT ${SWEPT_DIAGRAMS}`,
    );
    this.#purge = database.prepare(
      "DELETE FROM elements WHERE diagram_id = ? AND deleted_at IS NOT NULL AND deleted_at <= ?",
    );
  }

  /** From the back to the front. */
  read(diagramId: string, { deleted }: { deleted: boolean }): JsonObject[] {
    const rows = (deleted ? this.#all : this.#live).all<{ element: string }>(diagramId);
    return inOrder(rows.map(({ element }) => readObject(element)));
  }

  /** Take each element that wins over the one that is there. @throws {Refusal} INVALID_DATA, CONFLICT */
  merge(diagramId: string, elements: readonly CheckedElement[], now: number): Merged {
    const applied: JsonObject[] = [];
    const discarded: string[] = [];
    let growth: Growth = { elements: 0, deleted: 0, bytes: 0 };
    for (const [index, given] of elements.entries()) {
      const present = this.#find.get<Present>(diagramId, given.id);
      const revision = {
        version: given.version ?? nextVersion(given.id, present),
        nonce: given.nonce ?? randomNonce(),
      };
      if (present && !supersedes(revision, revisionOf(present))) {
        discarded.push(given.id);
        continue;
      }
      const element = { ...given.element, version: revision.version, versionNonce: revision.nonce };
      applied.push(element);
      const text = stringifyJson(element);
      const bytes = this.#measured(text, index);
      const deletedAt = given.deleted ? now : null;
      const stored = [revision.version, revision.nonce, text, bytes, deletedAt] as const;
      if (present) this.#replace.run(...stored, present.number);
      else this.#insert.run(diagramId, given.id, ...stored);
      growth = {
        elements: growth.elements + (present ? 0 : 1),
        deleted: growth.deleted + Number(given.deleted) -
          Number(present != null && present.deleted_at !== null),
        bytes: growth.bytes + bytes - Number(present?.bytes ?? 0),
      };
    }
    return { applied, discarded, growth };
  }

  /** Forget elements that were deleted at that time or before it. Returns by how much each diagram grows, which is less. */
  purge(deletedAt: number): Map<string, Growth> {
    const rows = this.#tombstones.all<{ diagram_id: string; count: number; bytes: number }>(deletedAt);
    return new Map(rows.map(({ diagram_id, count, bytes }) => {
      this.#purge.run(diagram_id, deletedAt);
      return [diagram_id, { elements: -Number(count), deleted: -Number(count), bytes: -Number(bytes) }];
    }));
  }

  #measured(text: string, index: number): number {
    // With the comma after it.
    const bytes = utf8Length(text) + 1;
    if (bytes <= this.#elementBytes) return bytes;
    throw invalid(
      `elements.${index}`,
      `expected at most ${this.#elementBytes} bytes (setting element_bytes), got ${bytes}`,
    );
  }
}

function revisionOf({ version, nonce }: Present) {
  return { version: Number(version), nonce: Number(nonce) };
}

function nextVersion(id: string, present: Present | undefined): number {
  const next = Number(present?.version ?? 0) + 1;
  if (Number.isSafeInteger(next)) return next;
  throw new Refusal(
    "CONFLICT",
    `Element '${id}' has the highest version that there is and takes no more changes`,
  );
}

/** As editors choose it: 31 bits. */
function randomNonce(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]! >>> 1;
}
