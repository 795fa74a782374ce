/**
 * Text of others, made fit for a terminal: what would move its cursor, colour it or turn the reading direction stands
 * there as an escape.
 *
 * @module
 */
import { stringifyJson } from "../../protocol/json.ts";

const UNFIT = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/** As `paint` writes them. */
// deno-lint-ignore no-control-regex
const COLOURS = /(\u001b\[\d+m)/g;

/** On one line. */
export function plainText(text: string): string {
  return text.replace(UNFIT, (character) => {
    return Array.from({ length: character.length }, (_, at) => unitEscape(character.charCodeAt(at))).join("");
  });
}

/** JSON on one line. It stays JSON: its parser gives the same value. */
export function plainJson(value: unknown): string {
  return plainText(stringifyJson(value));
}

function unitEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, "0")}`;
}

/** The beginning of a text that takes no more than `width` columns, for letters that take one. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  const characters = [...text];
  return characters.length <= width ? text : `${characters.slice(0, Math.max(0, width - 1)).join("")}…`;
}

/** The same of a text with colours, which take no column and end where it is cut. */
export function cutPainted(text: string, width: number): string {
  const plain = text.replace(COLOURS, "");
  if (cut(plain, width) === plain) return text;
  let room = Math.max(0, width - 1);
  const kept = text.split(COLOURS).flatMap((part, at) => {
    if (at % 2 === 1) return [part];
    const characters = [...part].slice(0, room);
    room -= characters.length;
    return characters;
  });
  return `${kept.join("")}…`;
}
