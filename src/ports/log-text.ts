/**
 * How what is logged becomes text that can neither forge a line nor command a terminal, whoever wrote it, and that shows
 * no token.
 *
 * @module
 */

/** Of one value, in UTF-16 units. The rest is left out, and how much that is stands there. */
const MAX_CHARACTERS = 8_192;
/** Errors that led to an error and are told with it. */
const MAX_CAUSES = 3;

/** Control characters, line separators, and marks that reorder the text around them. */
// deno-lint-ignore no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
/** JSON Web Tokens, and what follows the word Bearer. */
const TOKENS = /\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*|(?<=\b[Bb]earer[ :]+)[\w.~+/-]{8,}=*/g;
/** Fields that hold what nobody may read. */
const SECRET_NAME = /(^|_)(token|secret|password|passphrase|authorization|cookie|private_key|api_key)s?$/i;
const SHORT: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** The text on one line: what is unsafe is written as `\n` or `\u001b`, as JSON writes it, and tokens are left out. */
export function safeText(text: string): string {
  const redacted = text.replace(TOKENS, "[token]");
  return redacted.replace(
    UNSAFE,
    (character) => SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function cut(text: string): string {
  const left = text.length - MAX_CHARACTERS;
  return left > 0 ? `${text.slice(0, MAX_CHARACTERS)}… (${left} more characters)` : text;
}

/** An error as it is logged: with its stack, and with what caused it. */
export function errorText(error: Error): string {
  const texts: string[] = [];
  for (let cause: unknown = error; texts.length <= MAX_CAUSES && cause !== undefined;) {
    const next: Error | null = cause instanceof Error ? cause : null;
    texts.push(next?.stack ?? String(cause));
    cause = next?.cause;
  }
  return texts.join("\ncaused by: ");
}

/** The value of a field as text or as plain data; a secret, by its name, as a word that says so. */
export function loggedValue(name: string, value: unknown): unknown {
  if (SECRET_NAME.test(name) && value !== undefined && value !== null) return "[secret]";
  if (value instanceof Error) return cut(errorText(value));
  return typeof value === "string" ? cut(value) : value;
}

function jsonOf(value: unknown): string {
  try {
    return JSON.stringify(value, (_, member) => typeof member === "bigint" ? String(member) : member) ??
      String(value);
  } catch {
    return '"[cannot be shown]"';
  }
}

/** ` name=value` for each field that is there. What is no plain word stands in quotes, as JSON. */
export function fieldsText(fields: Readonly<Record<string, unknown>>): string {
  let text = "";
  for (const [name, given] of Object.entries(fields)) {
    const value = loggedValue(name, given);
    if (value === undefined) continue;
    const isWord = typeof value === "string" && /^[\w.:/@[\]-]+$/.test(value);
    const json = isWord ? value : jsonOf(value);
    text += ` ${name}=${typeof value === "string" ? json : cut(json)}`;
  }
  return safeText(text);
}
