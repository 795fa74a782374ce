/**
 * Values that know where they stand, so that what is wrong with one can be told with file and line.
 *
 * @module
 */
import type { JsonValue } from "../../../src/protocol/json.ts";

/** A value and the line where it, or the key before it, stands; line 0 where there is no file. */
export interface Located {
  readonly line: number;
  readonly value: JsonValue;
  readonly entries?: ReadonlyMap<string, Located>;
  readonly items?: readonly Located[];
  /** True where the value could not be read, which has been told. */
  readonly refused?: boolean;
}

/** What a YAML document holds. Problems begin with `{file}:{line}: `. */
export interface LocatedText {
  readonly root: Located | null;
  readonly problems: readonly string[];
}

/** Reads one YAML document. Nothing that stands in it makes it throw. */
export type ReadYaml = (text: string, file: string) => LocatedText | Promise<LocatedText>;

/** A value that came as JSON. Looked into as far as it is asked, however deep it is. */
export function locate(value: JsonValue): Located {
  if (Array.isArray(value)) {
    return {
      line: 0,
      value,
      get items() {
        return value.map(locate);
      },
    };
  }
  if (typeof value !== "object" || value === null) return { line: 0, value };
  return {
    line: 0,
    value,
    get entries() {
      return new Map(Object.entries(value).map(([key, member]) => [key, locate(member as JsonValue)]));
    },
  };
}

/** Ends the sentence "got ...". */
export function told({ value, items, entries }: Located): string {
  if (items) return items.length === 0 ? "an empty list" : "a list";
  if (entries) return "a map";
  if (value === null) return "nothing";
  if (typeof value !== "string") return String(value);
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
}
