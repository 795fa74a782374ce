/**
 * Says what is wrong with a request's data: which field, what was expected, what came.
 *
 * @module
 */
import * as v from "valibot";

type Issue = v.BaseIssue<unknown>;

/** Problems named in one message; more are counted. */
const SHOWN = 3;
/** Text that came is shown up to this length: it can be long, or a secret. */
const SHOWN_CHARACTERS = 40;
/** Names of fields come from the sender too, where any are allowed. */
const FIELD_CHARACTERS = 80;

const TYPES: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  bigint: "a whole number",
  boolean: "true or false",
  Array: "an array",
  Object: "an object",
  integer: "a whole number",
  safe_integer: "a whole number",
  finite: "a finite number",
  null: "null",
};

export function explainIssues(request: string, issues: readonly Issue[]): string {
  const shown = issues.slice(0, SHOWN).map((issue) => `${fieldOf(issue)}: ${explained(issue)}`);
  const more = issues.length > SHOWN ? `; and ${issues.length - SHOWN} more` : "";
  return `Invalid data for ${request}: ${shown.join("; ")}${more}`;
}

function fieldOf(issue: Issue): string {
  const field = v.getDotPath(issue) ?? "data";
  return field.length > FIELD_CHARACTERS ? `${field.slice(0, FIELD_CHARACTERS)}…` : field;
}

function explained(issue: Issue): string {
  const came = issue.received === "undefined" ? "nothing" : kindOf(issue.input);
  // The standard messages show what came in full; one that an author has written is taken as it is.
  if (issue.expected === null) {
    const suffix = `: Received ${issue.received}`;
    const standard = issue.message.endsWith(suffix);
    if (standard && TYPES[issue.type]) return `expected ${TYPES[issue.type]}, got ${came}`;
    return standard ? `${lower(issue.message.slice(0, -suffix.length))}, got ${came}` : lower(issue.message);
  }
  const standard = `: Expected ${issue.expected} but received ${issue.received}`;
  if (!issue.message.endsWith(standard)) return lower(issue.message);
  if (issue.type === "strict_object" && issue.expected === "never") return "no such field";
  return `expected ${expectation(issue)}, got ${came}`;
}

function expectation(issue: Issue): string {
  const expected = issue.expected!;
  const { requirement } = issue as { requirement?: unknown };
  const unit = typeof issue.input === "string" ? "character" : "item";
  const units = requirement === 1 ? unit : `${unit}s`;
  switch (issue.type) {
    case "min_length":
      return `at least ${requirement} ${units}`;
    case "max_length":
      return `at most ${requirement} ${units}`;
    case "length":
      return `${requirement} ${units}`;
    case "non_empty":
      return typeof issue.input === "string" ? "text that is not empty" : "an array that is not empty";
    case "min_value":
      return `at least ${requirement}`;
    case "max_value":
      return `at most ${requirement}`;
    case "gt_value":
      return `more than ${requirement}`;
    case "lt_value":
      return `less than ${requirement}`;
    case "regex":
      return `text like ${expected}`;
  }
  // A key that is not there: valibot expects its name.
  if (issue.received === "undefined" && expected.startsWith('"') && issue.type.includes("object")) {
    return "a value";
  }
  const choices = expected.replace(/^\((.*)\)$/s, "$1").split(" | ");
  return choices.map((choice) => TYPES[choice] ?? choice.replaceAll('"', "'")).join(" or ");
}

function kindOf(input: unknown): string {
  if (input === null) return "null";
  if (Array.isArray(input)) return `an array of ${input.length}`;
  if (typeof input === "string") {
    return input.length > SHOWN_CHARACTERS ? `text of ${input.length} characters` : `'${input}'`;
  }
  if (typeof input === "bigint") return input < 1e15 && input > -1e15 ? String(input) : "a very large number";
  if (typeof input === "number" || typeof input === "boolean") return String(input);
  return typeof input === "object" ? "an object" : typeof input;
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
