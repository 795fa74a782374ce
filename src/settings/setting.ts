/**
 * What one setting is: its schema, what a wrong value is told, and how a text from the environment or a flag becomes
 * a value.
 *
 * @module
 */
import * as v from "valibot";

/** The service that settings are made for. A contract fits. */
export interface SettingsOwner {
  /** Lower case, digits and dashes. Names the own block and the environment variables. */
  readonly name: string;
  readonly ports: { readonly http: number; readonly websocket: number };
}

/** What is wrong inside a value of several parts. */
export interface InnerFault {
  /** The keys that lead to it from the value. */
  readonly keys: readonly string[];
  /** Begins with "expected ". */
  readonly sentence: string;
}

export interface Setting<T> {
  // deno-lint-ignore no-explicit-any
  readonly schema: v.GenericSchema<any, T>;
  /** Ends the sentence "expected ...". */
  readonly expected: string;
  /** The same for a text from the environment or a flag, where more is understood. */
  readonly expectedText: string;
  /** A text as the value that it stands for; the text itself where it stands for none. */
  readonly fromText: (text: string) => unknown;
  /** A function where it follows from the service. */
  readonly default: T | ((owner: SettingsOwner) => T);
  /** How the default is told where it is no plain value. */
  readonly defaultText?: string;
  /** Unit of the value, in the plural. */
  readonly unit?: string;
  /** What the setting does, as a phrase without final period. */
  readonly meaning: string;
  /** What 0 does, where 0 is accepted. */
  readonly zero?: string;
  /** Environment variable without the service's prefix; of several, the first that is set counts. Two settings may share one. */
  readonly environment?: string | readonly string[];
  /** Flag of the command line. Two settings may share one. */
  readonly flag?: string;
  /** The default where it follows from other settings, which are asked for by path. `default` is then for none of them set. */
  readonly follows?: (valueOf: (path: string) => unknown) => T;
  /** True: the value is never printed. */
  readonly secret?: boolean;
  /** Every fault inside a value that is a map; `kinds` as in `SettingsService`. Absent: the schema finds all. */
  readonly faultsIn?: (value: object, kinds: readonly string[] | undefined) => readonly InnerFault[];
}

/** What every kind of setting is described by. */
type Description<T> = Omit<Setting<T>, "schema" | "expected" | "expectedText" | "fromText">;

/** The environment variables of a setting without the service's prefix, the one that counts most first. */
export function environmentSuffixes({ environment = [] }: Setting<unknown>): readonly string[] {
  return typeof environment === "string" ? [environment] : environment;
}

/** A whole number as "1,048,576". `Intl` would do it too, and takes longer to load than all settings together. */
function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A whole number. Where `zero` tells what 0 does, 0 is accepted besides the range. */
export function whole(
  range: { min: number; max: number },
  description: Description<number>,
): Setting<number> {
  const bounds = `from ${grouped(range.min)} to ${grouped(range.max)}`;
  const outside = description.zero !== undefined && range.min > 0;
  const expected = `a whole number ${bounds}${outside ? ", or 0" : ""}`;
  return {
    ...description,
    schema: outside
      ? v.union([v.literal(0), v.pipe(v.number(), v.integer(), v.minValue(range.min), v.maxValue(range.max))])
      : v.pipe(v.number(), v.integer(), v.minValue(range.min), v.maxValue(range.max)),
    expected,
    expectedText: expected,
    fromText: (text) => /^[-+]?\d{1,15}$/.test(text) ? Number(text) : text,
  };
}

const YES = new Set(["true", "1", "yes", "on"]);
const NO = new Set(["false", "0", "no", "off"]);

/** True or false; in the environment also 1, yes, on and 0, no, off, in any case. */
export function toggle(description: Description<boolean>): Setting<boolean> {
  return {
    ...description,
    schema: v.boolean(),
    expected: "true or false",
    expectedText: "true, 1, yes or on, or false, 0, no or off",
    fromText(text) {
      const word = text.toLowerCase();
      if (YES.has(word)) return true;
      return NO.has(word) ? false : text;
    },
  };
}

/** A text that is not empty and fits the pattern. */
export function text(
  form: { expected: string; pattern?: RegExp },
  description: Description<string>,
): Setting<string> {
  return {
    ...description,
    schema: v.pipe(v.string(), v.regex(form.pattern ?? /\S/)),
    expected: form.expected,
    expectedText: form.expected,
    fromText: (written) => written,
  };
}

/** A text that may be missing. */
export function optionalText(
  expected: string,
  description: Description<string | undefined>,
): Setting<string | undefined> {
  return {
    ...description,
    schema: v.pipe(v.string(), v.regex(/\S/)),
    expected,
    expectedText: expected,
    fromText: (written) => written,
  };
}

/** One of a few words. */
export function choice<const Word extends string>(
  words: readonly Word[],
  description: Description<Word>,
): Setting<Word> {
  const expected = words.length === 1
    ? `"${words[0]}", the only value so far`
    : `one of ${words.map((word) => `"${word}"`).join(", ")}`;
  return {
    ...description,
    schema: v.picklist(words),
    expected,
    expectedText: expected,
    fromText: (written) => written,
  };
}

/** One text, or a list of some. In the environment, commas part them. At most 1,000. */
export function textOrTexts(
  each: string,
  description: Description<string | readonly string[]>,
): Setting<string | readonly string[]> {
  const one = v.pipe(v.string(), v.regex(/\S/));
  const expected = `${each}, or a list of them`;
  return {
    ...description,
    schema: v.union([one, v.pipe(v.array(one), v.maxLength(1_000))]),
    expected,
    expectedText: expected,
    fromText: (written) => written.split(",").map((part) => part.trim()),
  };
}

/** A list of texts that each fit the pattern. At most 1,000. */
export function list(
  form: { each: string; pattern: RegExp },
  description: Description<readonly string[]>,
): Setting<readonly string[]> {
  const expected = `a list, each ${form.each}`;
  return {
    ...description,
    schema: v.pipe(v.array(v.pipe(v.string(), v.regex(form.pattern))), v.maxLength(1_000)),
    expected,
    expectedText: expected,
    fromText: (written) => written.split(",").map((part) => part.trim()),
  };
}
