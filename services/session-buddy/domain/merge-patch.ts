/**
 * JSON merge patches (RFC 7396), applied and computed. Keys such as `__proto__` are data like any other.
 *
 * @module
 */
import { type JsonObject, type JsonValue, stringifyJson } from "../../../src/protocol/json.ts";

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function fromMembers(members: ReadonlyMap<string, JsonValue>): JsonObject {
  // Defines own members, where an assignment to `__proto__` would call its setter.
  return Object.fromEntries(members);
}

/** What `target` becomes under `patch`. Neither is changed; parts that stay the same are shared. */
export function applyMergePatch(target: JsonValue | undefined, patch: JsonObject): JsonObject;
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue;
export function applyMergePatch(target: JsonValue | undefined, patch: JsonValue): JsonValue {
  if (!isObject(patch)) return patch;
  const base = isObject(target) ? target : {};
  const members = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) members.delete(key);
    else members.set(key, applyMergePatch(member(base, key), value));
  }
  return fromMembers(members);
}

/**
 * The smallest merge patch that turns `from` into `to`.
 *
 * A merge patch cannot set a member to null, so `to` must have no member that is null, but for those inside arrays.
 * What `applyMergePatch({}, value)` returns is such a value.
 */
export function diffMergePatch(from: JsonObject, to: JsonObject): JsonObject {
  const changes = new Map<string, JsonValue>();
  for (const key of Object.keys(from)) {
    if (!Object.hasOwn(to, key)) changes.set(key, null);
  }
  for (const [key, next] of Object.entries(to)) {
    const before = member(from, key);
    if (before === undefined) changes.set(key, next);
    else if (isObject(before) && isObject(next)) {
      const inner = diffMergePatch(before, next);
      if (Object.keys(inner).length > 0) changes.set(key, inner);
    } else if (stringifyJson(before) !== stringifyJson(next)) changes.set(key, next);
  }
  return fromMembers(changes);
}
