/**
 * The data of a request or an event as it stands on the command line: fields, one JSON object, or standard input.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import process from "node:process";
import { isJsonObject, type JsonObject, type JsonValue, typeInWords } from "../protocol/json-value.ts";
import { parseJson } from "../protocol/json.ts";
import { quoted, SettingsError } from "../settings/settings-error.ts";

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
