/**
 * Whole diagrams: made, changed within their bounds, read. What is done to one and what is told of it are parts of the
 * same commit.
 *
 * @module
 */
import type { Database } from "../../../src/ports/database.ts";
import { Refusal } from "../../../src/protocol/errors.ts";
import type { JsonObject } from "../../../src/protocol/json.ts";
import type { Transaction } from "../../../src/service/define-service.ts";
import type { ExcalidrawContract } from "../contract.ts";
import type { DiagramHead, Diagrams } from "./diagrams.ts";
import type { CheckedElement } from "./element.ts";
import { Elements } from "./elements.ts";
import type { ExcalidrawSettings } from "./settings.ts";

type Emit = Pick<Transaction<ExcalidrawContract>, "emit">;

export interface Diagram extends DiagramHead {
  readonly elements: JsonObject[];
  readonly app_state: JsonObject;
  readonly files: JsonObject;
}

/** What an update brings. */
export interface Change {
  readonly userId: string | null;
  readonly elements: readonly CheckedElement[];
  /** Data of images. */
  readonly files?: ReadonlyMap<string, JsonObject>;
}

/** What came of it. */
export interface Changed {
  readonly head: DiagramHead;
  readonly isChanged: boolean;
  /** Elements that are now as they were sent. */
  readonly applied: number;
  /** Ids of the elements that were left as they are. */
  readonly discarded: string[];
}

export class Drawings {
  readonly #diagrams: Diagrams;
  readonly #elements: Elements;
  readonly #settings: ExcalidrawSettings;

  constructor(database: Database, diagrams: Diagrams, settings: ExcalidrawSettings) {
    this.#diagrams = diagrams;
    this.#elements = new Elements(database, settings.element_bytes);
    this.#settings = settings;
  }

  /** @throws {Refusal} CONFLICT where the id is taken, NOT_AVAILABLE where there are too many, MESSAGE_TOO_LARGE */
  create(
    transaction: Emit,
    { id, title, appState }: { id: string; title: string; appState: JsonObject },
    now: number,
  ): DiagramHead {
    const count = this.#diagrams.count();
    if (count >= this.#settings.diagrams && !this.#diagrams.find(id)) {
      throw new Refusal(
        "NOT_AVAILABLE",
        `There are ${count} diagrams, which is the most: raise setting 'diagrams' to make another`,
      );
    }
    const diagram = this.#diagrams.insert(id, title, appState, now);
    this.#expectFits(diagram);
    transaction.emit("diagram.created", { diagram_id: id, title, version: diagram.version });
    return diagram;
  }

  /** @throws {Refusal} NOT_FOUND, INVALID_DATA, CONFLICT, MESSAGE_TOO_LARGE */
  change(transaction: Emit, id: string, { userId, elements, files }: Change, now: number): Changed {
    const before = this.#diagrams.require(id);
    const { applied, discarded, growth } = this.#elements.merge(id, elements, now);
    const filed = files ? this.#diagrams.addFiles(id, files) : { added: 0, bytes: 0 };
    if (applied.length === 0 && filed.added === 0) {
      return { head: before, isChanged: false, applied: 0, discarded };
    }
    const bytes = growth.bytes + filed.bytes;
    this.#diagrams.grow(id, { ...growth, bytes });
    const head = this.#diagrams.raise(id, now);
    // One that is over a bound which was lowered can still become smaller.
    if (growth.elements > 0 || bytes > 0) this.#expectFits(head);
    const { version } = head;
    transaction.emit("diagram.updated", { diagram_id: id, user_id: userId, elements: applied, version });
    return { head, isChanged: true, applied: applied.length, discarded };
  }

  /** A diagram with all that belongs to it, from the back to the front. */
  whole(head: DiagramHead, { deleted }: { deleted: boolean }): Diagram {
    const { diagram_id } = head;
    return {
      ...head,
      elements: this.#elements.read(diagram_id, { deleted }),
      app_state: this.#diagrams.appState(diagram_id),
      files: this.#diagrams.files(diagram_id),
    };
  }

  /** Let go of elements that were deleted long enough ago. Part of a commit. */
  forgetDeleted(now: number): void {
    const { tombstone_seconds } = this.#settings;
    if (tombstone_seconds === 0) return;
    const purged = this.#elements.purge(now - tombstone_seconds * 1_000);
    for (const [id, growth] of purged) this.#diagrams.grow(id, growth);
  }

  #expectFits({ diagram_id, element_count, deleted_count, bytes }: DiagramHead): void {
    const { elements_per_diagram, diagram_bytes } = this.#settings;
    const count = element_count + deleted_count;
    if (count > elements_per_diagram) {
      throw new Refusal(
        "MESSAGE_TOO_LARGE",
        `Diagram '${diagram_id}' would have ${count} elements with the deleted ones that are kept, at most ` +
          `${elements_per_diagram} are taken (setting elements_per_diagram): begin another diagram`,
      );
    }
    if (bytes > diagram_bytes) {
      throw new Refusal(
        "MESSAGE_TOO_LARGE",
        `Diagram '${diagram_id}' would have ${bytes} bytes, at most ${diagram_bytes} are taken (setting ` +
          "diagram_bytes), so that it fits into one frame: begin another diagram",
      );
    }
  }
}
