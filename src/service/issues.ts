/**
 * Says what is wrong with a request's data: which field, what was expected, what came.
 *
 * @module
 */
import * as v from "valibot";

/** Problems named in one message; more are counted. */
const SHOWN = 3;

export function explainIssues(request: string, issues: readonly v.BaseIssue<unknown>[]): string {
  const shown = issues.slice(0, SHOWN).map((issue) => {
    const field = v.getDotPath(issue) ?? "data";
    // What came is named by its kind only: a value can be long, or a secret.
    const received = issue.received === "undefined" ? "nothing" : kindOf(issue.input);
    return issue.expected === null
      ? `${field}: ${lower(issue.message)}`
      : `${field}: expected ${expectation(issue)}, got ${received}`;
  });
  const more = issues.length > SHOWN ? `; and ${issues.length - SHOWN} more` : "";
  return `Invalid data for ${request}: ${shown.join("; ")}${more}`;
}

function expectation(issue: v.BaseIssue<unknown>): string {
  return issue.expected!.replaceAll('"', "'");
}

function kindOf(input: unknown): string {
  if (input === null) return "null";
  if (Array.isArray(input)) return `an array of ${input.length}`;
  if (typeof input === "string") {
    return input.length > 40 ? `text of ${input.length} characters` : `'${input}'`;
  }
  if (typeof input === "number" || typeof input === "boolean" || typeof input === "bigint") {
    return String(input);
  }
  return typeof input === "object" ? "an object" : typeof input;
}

function lower(message: string): string {
  return message.charAt(0).toLowerCase() + message.slice(1);
}
