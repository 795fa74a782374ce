/**
 * One number of a report in JSON or XML, by a JSON pointer (RFC 6901). `/length` of a list is how long it is.
 *
 * In XML a pointer goes by element names from the outermost on, `name[2]` for the second of that name, and ends in an
 * attribute `@name` or in an element with a number in it: `/testsuites/@failures`.
 *
 * @module
 */
import { childrenNamed, readJson, readXml, ReportError, textIn } from "./report-text.ts";

/** @throws {ReportError} where the report cannot be read or has no number there */
export function numberAt(text: string, pointer: string): number {
  const path = pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
  const found = text.trimStart().startsWith("<") ? inXml(text, path) : inJson(text, path);
  const number = typeof found === "string" && found.trim() !== "" ? Number(found) : found;
  if (typeof number === "number" && Number.isFinite(number)) return number;
  throw new ReportError(`Cannot find a number at "${pointer}" of the report`);
}

function inJson(text: string, path: readonly string[]): unknown {
  let value = readJson(text, "the report");
  for (const key of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Record<string, unknown>)[key];
  }
  return value;
}

function inXml(text: string, path: readonly string[]): string | undefined {
  const root = readXml(text, "the report");
  if (path[0] !== root.name) return undefined;
  let element = root;
  for (const step of path.slice(1)) {
    if (step.startsWith("@")) return element.attributes[step.slice(1)];
    const [, name = step, place = "1"] = /^(.*)\[(\d+)\]$/.exec(step) ?? [];
    const next = childrenNamed(element, name)[Number(place) - 1];
    if (!next) return undefined;
    element = next;
  }
  return textIn(element);
}
