/**
 * What our reporters in JavaScript have in common: a line at a time at the end of the file that the environment names.
 *
 * @module
 */

/** The environment variable that names the file. */
export const EVENTS_VARIABLE = "MCP_REALTIME_TEST_EVENTS";

/** Characters of a text in a line; what is longer is cut here, so that no line is endless. */
export const MAX_TEXT = 16_000;

export const APPEND_SOURCE = `import { appendFileSync } from "node:fs";
import { relative, resolve } from "node:path";

const path = process.env.${EVENTS_VARIABLE};
const cut = (value) => typeof value === "string" ? value.slice(0, ${MAX_TEXT}) : value;

function append(event) {
  if (!path) return;
  const { n, f, ...rest } = event;
  const line = { ...rest };
  if (n !== undefined) line.n = cut(n);
  if (typeof f === "string") line.f = relative(process.cwd(), resolve(f)) || f;
  if (line.e !== undefined) line.e = cut(line.e);
  if (line.b !== undefined) line.b = cut(line.b);
  try {
    appendFileSync(path, JSON.stringify(line) + "\\n");
  } catch {
    // Nobody listens any more.
  }
}
`;
