/**
 * A JSON parser for what `JSON.parse` refuses or rounds and the Python layer takes as it is: integers beyond 2^53,
 * `NaN` and `Infinity`. In everything else it is as strict as `JSON.parse`, and it can say where a text is malformed
 * without showing any of it.
 *
 * @module
 */
import { closingQuote } from "./json-text.ts";
import type { JsonValue } from "./json-value.ts";

/**
 * Longest integer that is taken. Python has the same bound by default (`sys.get_int_max_str_digits`), and for the same
 * reason: the time to convert digits can grow with their square.
 */
export const MAX_INTEGER_DIGITS = 4300;

/** Why a text is not JSON, as a safe sentence. */
export class MalformedJson extends Error {
  override readonly name = "MalformedJson";
}

/**
 * Parse a text whose nesting the caller has bounded: the parser recurses.
 *
 * @throws {MalformedJson}
 */
export function parseTolerantly(text: string): JsonValue {
  return new Parser(text).parse();
}

const BLANKS = /[ \t\n\r]*/y;
const NUMBER = /-?(?:Infinity|(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)|NaN/y;
const WORDS: readonly (readonly [string, JsonValue])[] = [["true", true], ["false", false], ["null", null]];

class Parser {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): JsonValue {
    const value = this.#value();
    this.#skipBlanks();
    if (this.#at < this.#text.length) this.#fail("expected the end of the text after the value");
    return value;
  }

  #value(): JsonValue {
    this.#skipBlanks();
    const first = this.#text[this.#at];
    if (first === "{") return this.#object();
    if (first === "[") return this.#array();
    if (first === '"') return this.#string();
    for (const [word, value] of WORDS) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length;
        return value;
      }
    }
    return this.#number();
  }

  #object(): JsonValue {
    const object: Record<string, JsonValue> = {};
    this.#at++;
    if (this.#take("}")) return object;
    do {
      this.#skipBlanks();
      if (this.#text[this.#at] !== '"') this.#fail("expected a key in double quotes");
      const key = this.#string();
      if (!this.#take(":")) this.#fail("expected ':' after a key");
      setOwn(object, key, this.#value());
    } while (this.#take(","));
    if (!this.#take("}")) this.#fail("expected ',' or '}'");
    return object;
  }

  #array(): JsonValue {
    const array: JsonValue[] = [];
    this.#at++;
    if (this.#take("]")) return array;
    do array.push(this.#value()); while (this.#take(","));
    if (!this.#take("]")) this.#fail("expected ',' or ']'");
    return array;
  }

  #string(): string {
    const end = closingQuote(this.#text, this.#at);
    if (end < 0) this.#fail("the string that begins here does not end");
    try {
      const value: string = JSON.parse(this.#text.slice(this.#at, end + 1));
      this.#at = end + 1;
      return value;
    } catch {
      return this.#fail("the string that begins here holds a raw control character or an unknown escape");
    }
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const match = NUMBER.exec(this.#text);
    if (!match) return this.#fail("expected a value");
    const [literal, fraction, exponent] = match;
    const value = Number(literal);
    const exact = fraction !== undefined || exponent !== undefined || !/\d/.test(literal) ||
      Number.isSafeInteger(value);
    if (!exact && literal.replace("-", "").length > MAX_INTEGER_DIGITS) {
      this.#fail(`expected an integer of at most ${MAX_INTEGER_DIGITS} digits`);
    }
    this.#at += literal.length;
    return exact ? value : BigInt(literal);
  }

  #take(mark: string): boolean {
    this.#skipBlanks();
    if (this.#text[this.#at] !== mark) return false;
    this.#at++;
    return true;
  }

  #skipBlanks(): void {
    BLANKS.lastIndex = this.#at;
    BLANKS.test(this.#text);
    this.#at = BLANKS.lastIndex;
  }

  #fail(what: string): never {
    const end = this.#at >= this.#text.length ? ", but the text ends" : "";
    throw new MalformedJson(`Malformed JSON at character ${this.#at + 1}: ${what}${end}`);
  }
}

/** Set a property as `JSON.parse` does: `__proto__` is a key like any other. */
function setOwn(object: Record<string, JsonValue>, key: string, value: JsonValue): void {
  if (key !== "__proto__") object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
