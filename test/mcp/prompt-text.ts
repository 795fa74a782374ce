/**
 * What stands in the text of a prompt.
 *
 * @module
 */

/** A call as prompts write it: `` `tool` with {JSON} ``, with objects in it at most one level deep. */
export const CALLS = /`(\w+)` with (\{(?:"(?:[^"\\]|\\.)*"|[^{}"]|\{(?:"(?:[^"\\]|\\.)*"|[^{}"])*\})*\})/g;

/** What stands between backquotes. */
export function spans(text: string): string[] {
  return [...text.matchAll(/`([^`]*)`/g)].map(([, span]) => span!);
}
