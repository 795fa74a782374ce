/**
 * JSON over several lines, for a person.
 *
 * @module
 */
import type { Paint } from "./paint.ts";
import { plainJson, plainText } from "./plain-text.ts";

const STEP = "  ";

/** Keys and values in colours. */
export function paintJson(value: unknown, paint: Paint, indent = ""): string {
  if (typeof value === "string") return paint("green", plainJson(value));
  if (typeof value !== "object" || value === null) return paint("yellow", plainJson(value));
  const isList = Array.isArray(value);
  const [open, close] = isList ? "[]" : "{}";
  const entries = Object.entries(value);
  if (entries.length === 0) return `${open}${close}`;
  const inner = indent + STEP;
  const lines = entries.map(([key, member]) => {
    const name = isList ? "" : `${paint("cyan", plainText(JSON.stringify(key)))}: `;
    return `${inner}${name}${paintJson(member, paint, inner)}`;
  });
  return `${open}\n${lines.join(",\n")}\n${indent}${close}`;
}
