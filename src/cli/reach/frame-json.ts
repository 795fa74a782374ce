/**
 * How commands read and write frames: integers keep their digits, whatever their size, and what is nested without end is no
 * frame.
 *
 * @module
 */
import type { JsonCodec } from "../../client/mod.ts";
import { MAX_JSON_DEPTH, parseJson, stringifyJson } from "../../protocol/json.ts";

/** A server answers with what it was once given, within objects of its own. */
const MAX_FRAME_DEPTH = 2 * MAX_JSON_DEPTH;

export const FRAME_JSON: JsonCodec = {
  parse(text) {
    const parsed = parseJson(text, MAX_FRAME_DEPTH);
    if (!parsed.ok) throw new SyntaxError(parsed.reason);
    return parsed.value;
  },
  stringify: stringifyJson,
};
