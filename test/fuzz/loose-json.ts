/**
 * Values that can be written as JSON text that no serializer writes: numbers too large, keys that stand twice, escapes
 * of half characters.
 *
 * @module
 */

/** Text that is written as it is. */
export class Lexeme {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** An object's members as they are written, in this order; a key may stand twice. */
export class Members {
  readonly entries: readonly (readonly [key: string, value: Loose])[];

  constructor(entries: readonly (readonly [key: string, value: Loose])[]) {
    this.entries = entries;
  }
}

export type Loose = null | boolean | number | string | Lexeme | Members | Loose[] | LooseObject;
export type LooseObject = { [key: string]: Loose };

export function writeLoosely(value: Loose): string {
  if (value instanceof Lexeme) return value.text;
  if (Array.isArray(value)) return `[${value.map(writeLoosely).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const entries = value instanceof Members ? value.entries : Object.entries(value);
  return `{${entries.map(([key, member]) => `${JSON.stringify(key)}:${writeLoosely(member)}`).join(",")}}`;
}
