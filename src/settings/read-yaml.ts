/**
 * YAML text to values that know their line. Bounded in size and depth, and told in our own sentences: those of the
 * parser quote the text, which may hold a secret.
 *
 * @module
 */
import { Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser } from "yaml";
import type { CST, Document, Node, Pair, YAMLError } from "yaml";
import type { JsonValue } from "../protocol/json.ts";
import { printedPath } from "./settings-error.ts";

/** A value and the line where it, or the key before it, stands. */
export interface Located {
  readonly line: number;
  readonly value: JsonValue;
  /** The entries of a map. */
  readonly entries?: ReadonlyMap<string, Located>;
  /** The items of a list. */
  readonly items?: readonly Located[];
  /** True where the value could not be read, which has been told; `value` is then null. */
  readonly refused?: boolean;
}

export interface YamlText {
  /** Null where the text holds nothing, or cannot be read at all. */
  readonly root: Located | null;
  readonly problems: readonly string[];
}

/** Longest text that is read, in characters. */
export const MAX_YAML_CHARACTERS = 262_144;

/** Deepest nesting that is read. */
export const MAX_YAML_DEPTH = 32;

const TOO_DEEP = `expected lists and maps at most ${MAX_YAML_DEPTH} deep, got deeper ones`;

/** What each of the parser's codes means. */
const SYNTAX: Partial<Record<YAMLError["code"], string>> = {
  BAD_ALIAS: "expected no alias (*name), got one without its anchor",
  BAD_DQ_ESCAPE:
    "expected a known escape after \\ in double quotes, got another; single quotes know no escapes",
  BAD_INDENT:
    "expected keys of one block in one column and brackets closed, got another indentation or an open bracket",
  BAD_SCALAR_START: "expected a value in quotes where it starts with a special character, got it bare",
  DUPLICATE_KEY: "expected each key once, got one twice",
  MISSING_CHAR: "expected a closing quote, bracket or comma, or a blank after the colon, got none",
  MULTIPLE_DOCS: "expected one document, got a second one after ---",
  MULTILINE_IMPLICIT_KEY: "expected a key and a colon on one line, got a text over several",
  NON_STRING_KEY: "expected a text as key, got something else",
  RESOURCE_EXHAUSTION: TOO_DEEP,
  TAB_AS_INDENT: "expected blanks as indentation, got a tab",
  TAG_RESOLVE_FAILED: "expected a plain value, got a tag (!name)",
};

/** Read one YAML 1.2 document. Problems begin with `{file}:{line}: `; nothing is thrown. */
export function readYaml(text: string, file: string): YamlText {
  if (text.length > MAX_YAML_CHARACTERS) {
    const sizes = `at most ${MAX_YAML_CHARACTERS} characters, got ${text.length}`;
    return { root: null, problems: [`${file}: expected ${sizes}`] };
  }
  const lines = new LineCounter();
  try {
    const tokens = [...new Parser(lines.addNewLine).parse(text)];
    if (isFarTooDeep(tokens)) return { root: null, problems: [`${file}: ${TOO_DEEP}`] };
    const { document, faults } = compose(tokens, text.length);
    if (faults.length > 0) return { root: null, problems: syntaxProblems(faults, lines, file) };
    const reader = new Reader(lines, file);
    const root = document.contents === null ? null : reader.read(document.contents, 1, []);
    return { root, problems: reader.problems };
  } catch {
    return { root: null, problems: [`${file}: expected YAML, got a text that the parser fails on`] };
  }
}

type Fault = Pick<YAMLError, "code" | "pos">;

/** What `parseDocument` makes of a text, from tokens that are there already. */
function compose(
  tokens: readonly CST.Token[],
  length: number,
): { document: Document.Parsed; faults: readonly Fault[] } {
  const composer = new Composer({
    prettyErrors: false,
    schema: "core",
    resolveKnownTags: false,
    merge: false,
    stringKeys: true,
    // Found below, in linear time and with the path.
    uniqueKeys: false,
  });
  const documents = composer.compose(tokens, true, length);
  // There is one also where the text is empty.
  const document = documents.next().value as Document.Parsed;
  const second = documents.next();
  const faults: Fault[] = [...document.errors, ...document.warnings];
  if (!second.done) {
    const [start] = second.value.range;
    faults.push({ code: "MULTIPLE_DOCS", pos: [start, start] });
  }
  return { document, faults };
}

/** Levels of syntax that the parser's recursion is trusted with: a list in a map in a list has two for each. */
const MAX_SYNTAX_DEPTH = 8 * MAX_YAML_DEPTH;

/**
 * The parser's first half, which does not recurse, tells. Its second half does: at the end of the stack it would throw
 * at best, and an engine that compiles a regular expression there ends the process.
 */
function isFarTooDeep(tokens: readonly CST.Token[]): boolean {
  const waiting: { token: CST.Token | CST.CollectionItem; depth: number }[] = [];
  for (const token of tokens) {
    waiting.push({ token, depth: 1 });
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const { token, depth } = next;
      if (depth > MAX_SYNTAX_DEPTH) return true;
      const inside = "items" in token ? token.items : [];
      const parts = [...inside, "key" in token ? token.key : null, "value" in token ? token.value : null];
      for (const part of parts) {
        if (part && typeof part === "object") waiting.push({ token: part, depth: depth + 1 });
      }
    }
  }
  return false;
}

function syntaxProblems(faults: readonly Fault[], lines: LineCounter, file: string): string[] {
  // One fault often brings several messages about the same line; these two say most.
  const telling: readonly string[] = ["MISSING_CHAR", "RESOURCE_EXHAUSTION"];
  const byLine = new Map<number, Fault>();
  for (const fault of faults) {
    const line = Math.max(1, lines.linePos(fault.pos[0]).line);
    if (!byLine.has(line) || telling.includes(fault.code)) byLine.set(line, fault);
  }
  return [...byLine].sort(([a], [b]) => a - b).map(([line, { code }]) =>
    `${file}:${line}: ${SYNTAX[code] ?? `expected YAML, got something else (${code})`}`
  );
}

class Reader {
  readonly problems: string[] = [];
  readonly #lines: LineCounter;
  readonly #file: string;

  constructor(lines: LineCounter, file: string) {
    this.#lines = lines;
    this.#file = file;
  }

  /** The value of a node; null, with a problem, where it is none that settings can hold. */
  read(parsed: Node | null, line: number, path: readonly (string | number)[]): Located {
    if (parsed === null) return { line, value: null };
    if (isAlias(parsed)) return this.#refuse(line, path, "a value written out, got an alias (*name)");
    if (isScalar(parsed)) return this.#scalar(parsed.value, parsed.source, line, path);
    if (path.length >= MAX_YAML_DEPTH) {
      this.problems.push(`${this.#file}:${line}: ${TOO_DEEP}`);
      return { line, value: null, refused: true };
    }
    if (isMap<Node, Node | null>(parsed)) return this.#map(parsed.items, line, path);
    if (isSeq<Node>(parsed)) {
      const items = parsed.items.map((item, index) =>
        this.read(item, this.#lineOf(item, line), [...path, index])
      );
      return { line, items, value: items.map((item) => item.value) };
    }
    return this.#refuse(line, path, "a plain value, got something else");
  }

  #map(
    pairs: readonly Pair<Node, Node | null>[],
    line: number,
    path: readonly (string | number)[],
  ): Located {
    const entries = new Map<string, Located>();
    for (const pair of pairs) {
      const key = String(isScalar(pair.key) ? pair.key.value : pair.key);
      const at = this.#lineOf(pair.key, line);
      const before = entries.get(key);
      if (before) {
        this.#refuse(at, [...path, key], `the key once, got it a second time after line ${before.line}`);
      } else {
        entries.set(key, this.read(pair.value, at, [...path, key]));
      }
    }
    // From entries, so that a key like `__proto__` is a key like any other.
    const value = Object.fromEntries([...entries].map(([key, entry]) => [key, entry.value]));
    return { line, entries, value };
  }

  #scalar(
    value: unknown,
    source: string | undefined,
    line: number,
    path: readonly (string | number)[],
  ): Located {
    if (value === null || typeof value === "string" || typeof value === "boolean") return { line, value };
    if (typeof value !== "number") return this.#refuse(line, path, "a plain value, got something else");
    if (!Number.isFinite(value)) return this.#refuse(line, path, "a finite number, got another");
    const exact = Number.isSafeInteger(value) || !/^[-+]?\d+$/.test(source ?? "");
    return { line, value: exact ? value : BigInt(source!.replace("+", "")) };
  }

  #refuse(line: number, path: readonly (string | number)[], sentence: string): Located {
    const where = path.length > 0 ? `${printedPath(path)}: ` : "";
    this.problems.push(`${this.#file}:${line}: ${where}expected ${sentence}`);
    return { line, value: null, refused: true };
  }

  #lineOf(parsed: Node | null, fallback: number): number {
    const start = parsed?.range?.[0];
    return start === undefined ? fallback : this.#lines.linePos(start).line;
  }
}
