/**
 * What is wrong with settings, in sentences.
 *
 * @module
 */

/** Settings that cannot be used. The message has one line per problem; none shows a secret. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(shortened(problems).join("\n"));
    this.problems = problems;
  }
}

/** Lines of one message. A file that is wrong throughout would tell nothing more by the hundredth. */
const MOST_LINES = 50;

function shortened(problems: readonly string[]): readonly string[] {
  if (problems.length <= MOST_LINES) return problems;
  return [...problems.slice(0, MOST_LINES), `and ${problems.length - MOST_LINES} more`];
}

const MOST_CHARACTERS = 60;

/** A text in quotes, on one line, cut where it is long. */
export function quoted(text: string): string {
  const cut = text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text;
  // JSON leaves a few characters as they are that break a line or turn the reading direction.
  return JSON.stringify(cut).replace(
    /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

/** A path of keys, on one line. A key that is no plain word stands in quotes. */
export function printedPath(keys: readonly (string | number)[]): string {
  return keys.map((key, index) => {
    if (typeof key === "number") return `[${key}]`;
    return `${index > 0 ? "." : ""}${/^[\w-]{1,60}$/.test(key) ? key : quoted(key)}`;
  }).join("");
}

const SECRET_KEY = /secret|token|password|passphrase|credential|private|api_?key/i;

/** Whether a value under this key is better not shown, in a block of which nothing else is known. */
export function looksSecret(keys: readonly (string | number)[]): boolean {
  return keys.some((key) => typeof key === "string" && SECRET_KEY.test(key));
}

/** A text whose addresses stand there without query and fragment, which may hold a secret. */
export function withoutQueries(text: string): string {
  return text.replace(/(\b[a-z][a-z0-9+.-]*:\/\/[^\s?#]*)[?#]\S*/gi, "$1?…");
}

/** Besides without the name and the password that stand in an address, also in one that is written wrongly. */
export function withoutSecretParts(text: string): string {
  return withoutQueries(text.replace(/\/\/\S*@/g, "//…@"));
}

/** Ends the sentence "got ...". */
export function printedValue(value: unknown, hidden = false): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  if (hidden) return "a value that is not shown here";
  return typeof value === "string" ? quoted(withoutSecretParts(value)) : String(value);
}
