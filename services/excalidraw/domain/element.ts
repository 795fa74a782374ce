/**
 * Elements as they come from editors, agents and files: what must be right about them, and nothing more. Fields that are
 * not known here are kept as they are.
 *
 * @module
 */
import { Refusal } from "../../../src/protocol/errors.ts";
import { isJsonObject, typeInWords } from "../../../src/protocol/json-value.ts";
import type { JsonObject, JsonValue } from "../../../src/protocol/json.ts";
import { MAX_DEPTH, MAX_ELEMENT_ID_LENGTH } from "../fields.ts";

/** An element that can be taken. */
export interface CheckedElement {
  readonly id: string;
  /** Null where the sender leaves it to us. */
  readonly version: number | null;
  readonly nonce: number | null;
  readonly deleted: boolean;
  readonly element: JsonObject;
}

const NUMBERS = ["x", "y", "width", "height", "angle", "strokeWidth", "roughness", "opacity", "fontSize"];
const TEXTS = ["text", "strokeColor", "backgroundColor", "fillStyle", "strokeStyle"];
const MAX_TYPE_LENGTH = 64;

/** @throws {Refusal} INVALID_DATA, naming the first element and field that is wrong. */
export function checkElements(elements: readonly JsonValue[]): CheckedElement[] {
  const ids = new Set<string>();
  return elements.map((element, index) => {
    const place = `elements.${index}`;
    if (!isJsonObject(element)) return refuse(place, "an object", element);
    const checked = checkElement(element, place);
    if (ids.has(checked.id)) {
      throw invalid(`${place}.id`, "expected each element once, got one that stands before it already");
    }
    ids.add(checked.id);
    return checked;
  });
}

function checkElement(element: JsonObject, place: string): CheckedElement {
  const { id, type, isDeleted } = element;
  if (!isId(id)) return refuse(`${place}.id`, `text of 1 to ${MAX_ELEMENT_ID_LENGTH} characters`, id);
  if (typeof type !== "string" || type === "" || type.length > MAX_TYPE_LENGTH) {
    return refuse(`${place}.type`, `text of 1 to ${MAX_TYPE_LENGTH} characters`, type);
  }
  if (isDeleted !== undefined && isDeleted !== null && typeof isDeleted !== "boolean") {
    return refuse(`${place}.isDeleted`, "true or false", isDeleted);
  }
  for (const field of NUMBERS) expectType(element, field, "number", place);
  for (const field of TEXTS) expectType(element, field, "string", place);
  const version = revisionNumber(element, "version", 0, place);
  const nonce = revisionNumber(element, "versionNonce", Number.MIN_SAFE_INTEGER, place);
  checkValue(element, place);
  return { id, version, nonce, deleted: isDeleted === true, element };
}

/**
 * @throws {Refusal} INVALID_DATA where a value nests too deep, or holds a number that JSON cannot write.
 */
export function checkValue(value: JsonValue, place: string): void {
  const fault = faultIn(value, 1);
  if (fault !== null) throw invalid(place, fault);
}

/** Whether it can name an element, or the data of an image. */
export function isId(value: unknown): value is string {
  return typeof value === "string" && value !== "" && value.length <= MAX_ELEMENT_ID_LENGTH &&
    value.isWellFormed();
}

export function invalid(place: string, fault: string): Refusal {
  return new Refusal("INVALID_DATA", `Invalid field '${place}': ${fault}`);
}

function refuse(place: string, expected: string, value: unknown): never {
  const isLong = typeof value === "string" && value.length > MAX_ELEMENT_ID_LENGTH;
  const got = isLong ? `a string of ${value.length} characters` : typeInWords(value);
  throw invalid(place, `expected ${expected}, got ${got}`);
}

function expectType(element: JsonObject, field: string, type: "number" | "string", place: string): void {
  const value = element[field];
  if (value === undefined || value === null || typeof value === type) return;
  refuse(`${place}.${field}`, `a ${type}`, value);
}

/** Leaves room above: an element at the highest number of all could never be changed again. */
const MAX_REVISION = Number.MAX_SAFE_INTEGER - 2 ** 32;

function revisionNumber(element: JsonObject, field: string, least: number, place: string): number | null {
  const value = element[field];
  if (value === undefined || value === null) return null;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= MAX_REVISION) {
    return value;
  }
  const got = typeof value === "number" ? String(value) : typeInWords(value);
  const range = least === 0 ? " of at least 0" : "";
  throw invalid(
    `${place}.${field}`,
    `expected a whole number${range} and at most ${MAX_REVISION}, got ${got}`,
  );
}

function faultIn(value: JsonValue, depth: number): string | null {
  if (typeof value === "number" && !Number.isFinite(value)) return `expected finite numbers, got ${value}`;
  if (typeof value !== "object" || value === null) return null;
  if (depth > MAX_DEPTH) return `expected at most ${MAX_DEPTH} levels of objects and arrays, got more`;
  for (const member of Array.isArray(value) ? value : Object.values(value)) {
    const fault = faultIn(member, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}
