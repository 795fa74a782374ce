/**
 * The lines of a record, from text and back.
 *
 * @module
 */
import * as v from "valibot";
import { isJsonObject, type JsonValue } from "../protocol/json-value.ts";
import { type JsonObject, parseJson, stringifyJson } from "../protocol/json.ts";
import { RECORD_FORMAT, RECORD_VERSION, type RecordEntry, type RecordHeader } from "./record.ts";

/** Either the line, or the end of the sentence "file:line: ". */
export type LineResult<T> = { readonly ok: true; readonly line: T } | {
  readonly ok: false;
  readonly fault: string;
};

const COUNT = "a whole number of 0 or more";
const count = v.pipe(v.number(COUNT), v.safeInteger(COUNT), v.minValue(0, COUNT));
const WORD = "a text that is not empty";
const word = v.pipe(v.string(WORD), v.nonEmpty(WORD));
const text = v.string("a text");
const object = v.custom<JsonObject>((value) => isJsonObject((value ?? null) as JsonValue), "a JSON object");
const MOMENT = "milliseconds of 0 or more";
const moment = { at: v.pipe(v.number(MOMENT), v.finite(MOMENT), v.minValue(0, MOMENT)) };
const TIME = "a time in ISO 8601";
const CHANNELS = "a list of channels";

const HEADER = v.object({
  format: v.literal(RECORD_FORMAT),
  version: v.pipe(count, v.minValue(1, "a version")),
  service: word,
  url: text,
  channels: v.pipe(v.array(word, CHANNELS), v.minLength(1, CHANNELS)),
  started_at: v.pipe(v.string(TIME), v.isoTimestamp(TIME)),
  epoch: v.nullable(word),
});

const ENTRIES = {
  event: v.object({
    ...moment,
    type: v.literal("event"),
    channel: word,
    event: word,
    id: text,
    data: object,
    timestamp: text,
    seq: v.optional(count),
    prev: v.optional(count),
    epoch: v.optional(word),
    traceparent: v.optional(text),
  }),
  gap: v.object({
    ...moment,
    type: v.literal("gap"),
    channel: word,
    from: v.nullable(count),
    to: v.nullable(count),
    cause: word,
  }),
  snapshot: v.object({
    ...moment,
    type: v.literal("snapshot"),
    channel: word,
    snapshot: object,
    seq: count,
    epoch: word,
  }),
  connection: v.object({
    ...moment,
    type: v.literal("connection"),
    state: v.picklist(["lost", "restored"], '"lost" or "restored"'),
  }),
  end: v.object({
    ...moment,
    type: v.literal("end"),
    reason: v.picklist(["events", "duration", "stopped", "closed"], "a known reason"),
    events: count,
  }),
} as const;

/** What a header must look like is said to whoever brings another file. */
const A_HEADER = `a header like {"format":"${RECORD_FORMAT}","version":${RECORD_VERSION},...}`;

/** One line of a file, its newline included. */
export function formatLine(line: RecordHeader | RecordEntry): string {
  return `${stringifyJson(line)}\n`;
}

export function parseHeader(source: string): LineResult<RecordHeader> {
  const value = objectIn(source);
  if (typeof value === "string") return refused(`expected ${A_HEADER}, got ${value}`);
  if (value["format"] !== RECORD_FORMAT) {
    return refused(`expected ${A_HEADER}, got another JSON object: this is no record`);
  }
  const { version } = value;
  if (typeof version === "number" && version > RECORD_VERSION) {
    return refused(
      `expected version ${RECORD_VERSION}, got ${version}: it was written by a newer mcp-realtime, read it with that`,
    );
  }
  return checked(HEADER, value, "header") as LineResult<RecordHeader>;
}

/** Members that are not known are passed over: a later writer may add some. */
export function parseEntry(source: string): LineResult<RecordEntry> {
  const value = objectIn(source);
  if (typeof value === "string") return refused(`expected a line of a record, got ${value}`);
  const { type } = value;
  const schema = typeof type === "string" && Object.hasOwn(ENTRIES, type)
    ? ENTRIES[type as keyof typeof ENTRIES]
    : undefined;
  if (schema) return checked(schema, value, `line of type "${type}"`) as LineResult<RecordEntry>;
  const known = Object.keys(ENTRIES).map((name) => `"${name}"`).join(", ");
  const got = typeof type === "string" ? JSON.stringify(type.slice(0, 60)) : "none";
  return refused(`expected a line with "type" of ${known}, got ${got}`);
}

/** The object, or what came instead. */
function objectIn(source: string): JsonObject | string {
  const parsed = parseJson(source);
  if (!parsed.ok) return "what is no JSON";
  return isJsonObject(parsed.value) ? parsed.value : "JSON that is no object";
}

// deno-lint-ignore no-explicit-any
function checked(schema: v.GenericSchema<any, any>, value: JsonObject, what: string): LineResult<unknown> {
  const result = v.safeParse(schema, value, { abortEarly: true });
  if (result.success) return { ok: true, line: result.output };
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? "";
  if (issue.received === "undefined") return refused(`expected the ${what} to have "${path}", got none`);
  // What came stays unsaid: it may be a payload.
  return refused(`expected "${path}" of the ${what} to be ${issue.message}, got another value`);
}

function refused(fault: string): LineResult<never> {
  return { ok: false, fault };
}
