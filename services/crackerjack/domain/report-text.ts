/**
 * Reports that others have written: read within bounds, parsed without trust.
 *
 * @module
 */
import { parseXml, XmlElement, XmlError, type XmlNode, XmlText } from "@rgrove/parse-xml";
import type { Workspace } from "../../../src/ports/workspace.ts";

/** A report that cannot be used. The message is one sentence for whoever wrote or configured it. */
export class ReportError extends Error {
  override readonly name = "ReportError";
}

/** @throws {ReportError} where it is missing, too large, no file, or cannot be read */
export async function readReport(workspace: Workspace, path: string, maxBytes: number): Promise<string> {
  const refuse = (detail: string): never => {
    throw new ReportError(`Cannot read the report "${path}": ${detail}`);
  };
  const facts = await workspace.facts(path).catch((error: Error) => refuse(error.message));
  if (!facts) return refuse("it is not there");
  if (facts.kind !== "file") return refuse("expected a file");
  if (facts.size > maxBytes) {
    return refuse(`expected at most ${maxBytes} bytes (setting report_bytes), got ${facts.size}`);
  }
  const bytes = await workspace.readFrom(path, 0, maxBytes).catch((error: Error) => refuse(error.message));
  return new TextDecoder().decode(bytes);
}

/** Each costs the parser's tree some hundred bytes. */
const MAX_TAGS = 1_000_000;

/** An XML report's outermost element. Entities that a document declares itself are refused, not expanded. */
export function readXml(text: string, what: string): XmlElement {
  const refuse = (detail: string): never => {
    throw new ReportError(`Cannot read ${what}: ${detail}`);
  };
  if (countOf("<", text) > MAX_TAGS) return refuse(`expected at most ${MAX_TAGS} tags, got more`);
  try {
    // The parser would do the same, but takes the square of their number of steps to it.
    return parseXml(text.replace(/\r\n?/g, "\n")).root ?? refuse("it has no element");
  } catch (error) {
    if (error instanceof XmlError) return refuse(`expected well-formed XML: ${firstLine(error.message)}`);
    // The parser recurses; the end of the stack is the bound of its depth.
    if (error instanceof RangeError) return refuse("it is nested too deep");
    throw error;
  }
}

/** @throws {ReportError} where it is no JSON */
export function readJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const detail = error instanceof RangeError
      ? "it is nested too deep"
      : "expected JSON, got something else";
    throw new ReportError(`Cannot read ${what}: ${detail}; was it cut short?`);
  }
}

/** Elements of these names below `from`, in the order of the document, without recursion. */
export function* elementsNamed(from: XmlElement, ...names: string[]): Generator<XmlElement> {
  const waiting: XmlElement[] = [from];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (names.includes(next.name)) yield next;
    for (let index = next.children.length - 1; index >= 0; index--) {
      const child = next.children[index];
      if (child?.type === "element") waiting.push(child as XmlElement);
    }
  }
}

/** All text in the element, in the order of the document. The parser's own way to it is recursive. */
export function textIn(element: XmlElement): string {
  const texts: string[] = [];
  const waiting: XmlNode[] = [element];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    if (next instanceof XmlText) texts.push(next.text);
    else if (next instanceof XmlElement) {
      for (let index = next.children.length - 1; index >= 0; index--) waiting.push(next.children[index]!);
    }
  }
  return texts.join("");
}

/** The element's children of these names. */
export function childrenNamed(element: XmlElement, ...names: string[]): XmlElement[] {
  return element.children.filter((child): child is XmlElement =>
    child.type === "element" && names.includes((child as XmlElement).name)
  );
}

/** An attribute as a number; null where it is missing or none. */
export function numberIn(element: XmlElement, attribute: string): number | null {
  const text = element.attributes[attribute];
  const number = text === undefined || text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(number) ? number : null;
}

function countOf(part: string, text: string): number {
  let count = 0;
  for (let at = text.indexOf(part); at >= 0; at = text.indexOf(part, at + 1)) count++;
  return count;
}

function firstLine(text: string): string {
  return text.split("\n", 1)[0]!.slice(0, 300);
}
