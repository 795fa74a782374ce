/**
 * Reads fields of a definition and gathers what is wrong with them, each with file, line and path.
 *
 * @module
 */
import { type Located, told } from "./located.ts";

export class Problems {
  readonly all: string[] = [];
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /** @param sentence goes on after "expected" */
  add(at: Located, path: string, sentence: string): void {
    const place = at.line > 0 ? `${this.#file}:${at.line}` : this.#file;
    this.all.push(`${place}: ${path === "" ? "" : `${path}: `}expected ${sentence}`);
  }

  wrong(at: Located, path: string, expected: string): void {
    if (!at.refused) this.add(at, path, `${expected}, got ${told(at)}`);
  }

  /** The entries of a map with known keys; empty where it is none. */
  map(at: Located, path: string, expected: string, known?: readonly string[]): ReadonlyMap<string, Located> {
    if (!at.entries) {
      this.wrong(at, path, expected);
      return new Map();
    }
    for (const [key, entry] of at.entries) {
      if (known && !known.includes(key)) {
        this.add(entry, path, `only the keys ${known.join(", ")}, got ${JSON.stringify(key.slice(0, 60))}`);
      }
    }
    return at.entries;
  }

  text(
    at: Located | undefined,
    path: string,
    expected: string,
    fits: (text: string) => boolean = () => true,
  ) {
    if (at === undefined || at.value === null) return undefined;
    if (typeof at.value === "string" && !at.value.includes("\0") && fits(at.value)) return at.value;
    this.wrong(at, path, expected);
    return undefined;
  }

  flag(at: Located | undefined, path: string): boolean {
    if (at === undefined || at.value === null) return false;
    if (typeof at.value === "boolean") return at.value;
    this.wrong(at, path, "true or false");
    return false;
  }

  whole(at: Located | undefined, path: string, max: number): number {
    if (at === undefined || at.value === null) return 0;
    const { value } = at;
    if (typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= max) return value;
    this.wrong(at, path, `a whole number from 0 to ${max}`);
    return 0;
  }
}
