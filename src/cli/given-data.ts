/**
 * The data of a request or an event as it stands on the command line: fields, one JSON object, or standard input.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import type { DataSchema } from "../protocol/contract.ts";
import { isJsonObject, type JsonObject, type JsonValue, typeInWords } from "../protocol/json-value.ts";
import { parseJson } from "../protocol/json.ts";
import { meantHint, nearest } from "../settings/nearest.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";
import { CommandFailure } from "./command.ts";

/** What the help says of it. */
export const DATA_HELP =
  `DATA is FIELD=TEXT or FIELD:=JSON, as many as there are fields; or one JSON object; or "-" for one on standard input.`;

/** Larger ones are taken by no service. In bytes. */
const MOST_BYTES = 1_048_576;

/**
 * @param command Begins the sentences about what is wrong.
 * @throws {SettingsError} with every word that is none of these. What it holds stays unsaid.
 */
export async function givenData(command: string, words: readonly string[]): Promise<JsonObject> {
  if (words.length === 1 && words[0] === "-") {
    return objectIn(command, "standard input", await readInput(command));
  }
  if (words.length === 1 && words[0]!.trimStart().startsWith("{")) {
    return objectIn(command, "DATA", words[0]!);
  }
  const problems: string[] = [];
  const fields = new Map<string, JsonValue>();
  for (const word of words) {
    const [, name = "", colon, text = ""] = /^([^=:]+)(:?)=(.*)$/s.exec(word) ?? [];
    if (name === "") {
      problems.push(`${command}: expected FIELD=TEXT, FIELD:=JSON or one JSON object, got another word`);
      continue;
    }
    if (fields.has(name)) problems.push(`${command}: expected field ${quoted(name)} once, got it twice`);
    const parsed = colon === "" ? { ok: true as const, value: text } : parseJson(text);
    if (parsed.ok) fields.set(name, parsed.value);
    else {problems.push(
        `${command}: ${name}: expected JSON after ":=", got something else (${parsed.reason})`,
      );}
  }
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.fromEntries(fields);
}

/**
 * A service drops fields that it does not know, as it must; whoever types one meant something by it.
 *
 * @param command Begins the sentences about what is wrong.
 * @param name What is asked or published.
 * @param schema What it takes.
 * @throws {SettingsError} where there is a field that it does not take.
 */
export function refuseUnknownFields(
  command: string,
  name: string,
  schema: DataSchema,
  data: JsonObject,
): void {
  const { type, entries } = schema as { type: string; entries?: Readonly<Record<string, unknown>> };
  // Of others it cannot be told what they take.
  if (entries === undefined || !["object", "strict_object"].includes(type)) return;
  const known = Object.keys(entries);
  const problems = Object.keys(data).filter((field) => !known.includes(field) && field !== "idempotency_key")
    .map((field) => {
      const meant = nearest(field, known) ?? known.find((candidate) => candidate.startsWith(field));
      const takes = known.length === 0 ? "no field" : `a field of ${name} (${known.join(", ")})`;
      return `${command}: expected ${takes}, got ${quoted(field)}${meantHint(meant)}`;
    });
  if (problems.length > 0) throw new SettingsError(problems);
}

/**
 * The same failure, or one that tells how JSON is given, where a service expects something else than the text of a field
 * that may have been meant as JSON: `limit=5`.
 */
export function aboutText(failure: unknown, words: readonly string[]): unknown {
  if (!(failure instanceof CommandFailure) || !failure.message.startsWith("INVALID_DATA: ")) return failure;
  for (const word of words) {
    const [, name = "", text = ""] = /^([^=:]+)=(.*)$/s.exec(word) ?? [];
    const parsed = parseJson(text);
    if (name === "" || !parsed.ok || typeof parsed.value === "string") continue;
    if (!failure.message.includes(` ${name}: expected `)) continue;
    const hint = `${quoted(`${name}=`)} gives a text, ${quoted(`${name}:=`)} a number or other JSON`;
    return new CommandFailure(failure.code, `${failure.message}; ${hint}`);
  }
  return failure;
}

function objectIn(command: string, where: string, text: string): JsonObject {
  const parsed = parseJson(text.trim());
  if (parsed.ok && isJsonObject(parsed.value)) return parsed.value;
  const got = parsed.ok ? typeInWords(parsed.value) : `something else (${parsed.reason})`;
  throw new SettingsError([`${command}: ${where}: expected one JSON object, got ${got}`]);
}

async function readInput(command: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
    parts.push(chunk);
    length += chunk.byteLength;
    if (length <= MOST_BYTES) continue;
    throw new SettingsError([`${command}: standard input: expected at most ${MOST_BYTES} bytes, got more`]);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}
