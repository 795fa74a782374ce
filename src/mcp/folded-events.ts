/**
 * Events on their way into an answer of bounded length: those that say the same are told once.
 *
 * @module
 */
import type { SequencedEvent } from "../protocol/event.ts";
import { type JsonObject, stringifyJson } from "../protocol/json.ts";
import { tellEvent, type Told } from "./told-event.ts";

/** For `repeated` and the comma. */
const BESIDE = 20;

interface Entry {
  readonly source: SequencedEvent;
  readonly told: Told;
  /** How often it was there. */
  repeated: number;
}

export interface FoldOptions {
  readonly service: string;
  /** See `ChannelKind.latestBy`. */
  readonly latestBy: readonly string[] | undefined;
  /** Of all events together. The first one is taken however long it is, if need be without its data. */
  readonly maxCharacters: number;
}

export class FoldedEvents {
  /** Events that others of the answer stand for. */
  folded = 0;
  readonly #options: FoldOptions;
  readonly #entries = new Map<string, Entry>();
  #characters = 0;

  constructor(options: FoldOptions) {
    this.#options = options;
  }

  /** Events that are told without their data. */
  get cut(): number {
    return [...this.#entries.values()].filter(({ told }) => told.isCut).length;
  }

  /** Oldest first. */
  list(): JsonObject[] {
    return [...this.#entries.values()]
      .sort((a, b) => a.source.seq - b.source.seq)
      .map(({ told, repeated }) => repeated > 1 ? { ...told.event, repeated } : told.event);
  }

  /** Take an event, older or newer than all before. @returns false where there is no room for it */
  add(source: SequencedEvent): boolean {
    const key = this.#keyOf(source);
    const known = this.#entries.get(key);
    if (known && known.source.seq > source.seq) {
      this.folded++;
      if (this.#saysTheSame(known.source, source)) known.repeated++;
      return true;
    }
    const { service, maxCharacters } = this.#options;
    const told = tellEvent(service, source, maxCharacters - BESIDE);
    const total = this.#characters - sizeOf(known) + told.characters + BESIDE;
    const isAlone = this.#entries.size === (known ? 1 : 0);
    if (total > maxCharacters && !isAlone) return false;
    const repeated = known && this.#saysTheSame(known.source, source) ? known.repeated + 1 : 1;
    this.#entries.set(key, { source, told, repeated });
    this.#characters = total;
    if (known) this.folded++;
    return true;
  }

  /** Two events of one key. */
  #saysTheSame(a: SequencedEvent, b: SequencedEvent): boolean {
    return !this.#options.latestBy || stringifyJson(untimed(a.data)) === stringifyJson(untimed(b.data));
  }

  #keyOf({ channel, event, data }: SequencedEvent): string {
    const { latestBy } = this.#options;
    const what = latestBy ? latestBy.map((field) => data[field] ?? null) : untimed(data);
    return stringifyJson([channel, event, what]);
  }
}

function sizeOf(entry: Entry | undefined): number {
  return entry ? entry.told.characters + BESIDE : 0;
}

/** Every event has a time of its own. */
function untimed({ timestamp: _, ...data }: JsonObject): JsonObject {
  return data;
}
