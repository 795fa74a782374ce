/**
 * The file format of Excalidraw, `.excalidraw`: one JSON object.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import { isJsonObject, typeInWords } from "../../../src/protocol/json-value.ts";
import { type JsonObject, type JsonValue, parseJson } from "../../../src/protocol/json.ts";
import { type CheckedElement, checkElements, checkValue, isId } from "./element.ts";

/** What a file holds, checked. */
export interface Scene {
  readonly elements: readonly CheckedElement[];
  readonly appState: JsonObject;
  /** Data of image elements, by their `fileId`. */
  readonly files: ReadonlyMap<string, JsonObject>;
}

/** The version of the format that Excalidraw writes today. */
const FORMAT_VERSION = 2;

/** What Excalidraw writes for a canvas that nobody has changed. */
export const EMPTY_APP_STATE: JsonObject = {
  gridSize: 20,
  gridStep: 5,
  gridModeEnabled: false,
  viewBackgroundColor: "#ffffff",
};

/**
 * Read a file from its text, or from its JSON.
 *
 * @throws {Refusal} INVALID_DATA where it is cut short, no diagram, or holds what cannot be taken.
 */
export function readScene(given: { content?: string | null; document?: JsonObject | null }): Scene {
  if ((given.content == null) === (given.document == null)) {
    const got = given.content == null ? "neither" : "both";
    throw new Refusal("INVALID_DATA", `Expected either 'content' or 'document', got ${got}`);
  }
  const file = given.document ?? parsed(given.content!);
  if (file.type !== "excalidraw") {
    throw noDiagram(
      `expected "type": "excalidraw", got ${
        file.type === "excalidrawlib" ? "a library of Excalidraw" : typeInWords(file.type)
      }`,
    );
  }
  const { elements, appState, files } = file;
  if (!Array.isArray(elements)) {
    throw noDiagram(`expected 'elements' to be an array, got ${typeInWords(elements)}`);
  }
  return {
    elements: checkElements(elements as readonly JsonValue[]),
    appState: appState == null ? EMPTY_APP_STATE : objectAt("appState", appState),
    files: filesOf(files),
  };
}

/** A file that Excalidraw opens. */
export function writeScene(
  scene: { elements: JsonObject[]; appState: JsonObject; files: JsonObject },
) {
  return { type: "excalidraw" as const, version: FORMAT_VERSION, source: "mcp-realtime", ...scene };
}

/** The name under which a diagram's file is saved. */
export function filenameOf(title: string): string {
  const plain = title.replaceAll(/[^\p{L}\p{N}._ -]+/gu, "-").replace(/^[.\s-]+/, "").trim();
  return `${plain || "diagram"}.excalidraw`;
}

function parsed(content: string): JsonObject {
  // A byte order mark, as some editors of text write it.
  const result = parseJson(content.replace(/^\uFEFF/, ""));
  if (!result.ok) throw noDiagram(`it cannot be read: ${result.reason}`);
  if (!isJsonObject(result.value)) {
    throw noDiagram(`expected a JSON object, got ${typeInWords(result.value)}`);
  }
  return result.value;
}

function filesOf(files: JsonValue | undefined): ReadonlyMap<string, JsonObject> {
  const read = new Map<string, JsonObject>();
  if (files == null) return read;
  for (const [id, file] of Object.entries(objectAt("files", files))) {
    if (!isId(id)) throw noDiagram("'files' holds a key that is no id");
    if (!isJsonObject(file)) {
      throw noDiagram(`expected each of 'files' to be an object, got ${typeInWords(file)}`);
    }
    read.set(id, file);
  }
  return read;
}

function objectAt(place: string, value: JsonValue): JsonObject {
  if (!isJsonObject(value)) throw noDiagram(`expected '${place}' to be an object, got ${typeInWords(value)}`);
  checkValue(value, place);
  return value;
}

function noDiagram(fault: string): Refusal {
  return new Refusal("INVALID_DATA", `This is no diagram of Excalidraw: ${fault}`);
}
