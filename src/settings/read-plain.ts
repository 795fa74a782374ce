/**
 * Settings files as most are: blocks of plain values, and comments. What is written so is read here, as the YAML parser
 * takes longer to load than a service to open; all else is left to that.
 *
 * @module
 */
import type { JsonValue } from "../protocol/json.ts";
import type { Located, YamlText } from "./read-yaml.ts";

/** Longer texts are a matter for `readYaml`, which may refuse them. In characters. */
const MAX_CHARACTERS = 65_536;
const ASCII = /^[\n\x20-\x7e]*$/;
const NOTHING = /^ *(?:#.*)?$/;
/** Blanks (eight levels at most), a key, and what is said of it. */
const LINE = /^((?: {2}){0,8})([a-z][a-z0-9_-]{0,63}):(?: (.+))?$/;
const NUMBER = /^(?:0|[1-9]\d{0,14})(?:\.\d{1,15})?$/;
const QUOTED = /^"([^"\\]*)"$/;
const WORD = /^[A-Za-z][\w./-]*$/;
/** Words that stand for something else. */
const TAKEN = /^(?:null|true|false)$/i;

/**
 * Read a text of lines `key: value` and `block:`, the lines of a block two blanks further in. A value is a number, a word,
 * `true`, `false`, an ASCII text in double quotes, `{}`, or a list of such in one line.
 *
 * @returns what `readYaml` gives for the same text; null where there is anything else in it, a key twice in one block, or
 * nothing at all: then `readYaml` has to tell.
 */
export function readPlain(text: string): YamlText | null {
  if (text.length > MAX_CHARACTERS || !ASCII.test(text)) return null;
  const top = new Block(1);
  /** The blocks that the next line may belong to, from the outermost on. */
  let open = [top];
  for (const [index, written] of text.split("\n").entries()) {
    if (NOTHING.test(written)) continue;
    const [, indent = "", key, said] = LINE.exec(written) ?? [];
    const depth = indent.length / 2;
    const block = open[depth];
    if (key === undefined || TAKEN.test(key) || block === undefined || block.entries.has(key)) return null;
    const line = index + 1;
    const entry = said === undefined ? new Block(line) : plain(said, line);
    if (entry === null) return null;
    block.entries.set(key, entry);
    open = open.slice(0, depth + 1);
    if (entry instanceof Block) open.push(entry);
  }
  return top.entries.size === 0 ? null : { root: top.located(), problems: [] };
}

/** A block whose lines are still being read. */
class Block {
  readonly entries = new Map<string, Located | Block>();
  readonly #line: number;

  constructor(line: number) {
    this.#line = line;
  }

  /** One without lines says nothing. */
  located(): Located {
    const line = this.#line;
    if (this.entries.size === 0) return { line, value: null };
    const pairs = [...this.entries].map(([key, entry]) =>
      [key, entry instanceof Block ? entry.located() : entry] as const
    );
    const value = Object.fromEntries(pairs.map(([key, entry]) => [key, entry.value]));
    return { line, entries: new Map(pairs), value };
  }
}

/** Null where it is nothing that is read here. */
function plain(text: string, line: number): Located | null {
  if (text === "{}") return { line, entries: new Map(), value: {} };
  const list = /^\[(.*)\]$/.exec(text)?.[1];
  const texts = list === undefined ? [text] : list === "" ? [] : list.split(", ");
  const values = texts.map(scalar).filter((value) => value !== undefined);
  if (values.length < texts.length) return null;
  if (list === undefined) return { line, value: values[0]! };
  return { line, items: values.map((value) => ({ line, value })), value: values };
}

/** Undefined where it is nothing that is read here. */
function scalar(text: string): JsonValue | undefined {
  if (NUMBER.test(text)) return Number(text);
  const quoted = QUOTED.exec(text)?.[1];
  if (quoted !== undefined) return quoted;
  if (text === "true" || text === "false") return text === "true";
  return WORD.test(text) && !TAKEN.test(text) ? text : undefined;
}
