/**
 * The same request, done once. A request that changes state may carry a key; the same key with the same data is
 * answered as the first time, with other data it is a CONFLICT.
 *
 * @module
 */
import type { Answers } from "../ports/answers.ts";
import type { Call, Once } from "../ports/call.ts";
import { Refusal } from "../protocol/errors.ts";
import { type JsonObject, parseJson, stringifyJson } from "../protocol/json.ts";

/** Longest key, in UTF-16 units. */
export const MAX_KEY_LENGTH = 255;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Who is asking, as far as keys are concerned. */
export interface KeyScope {
  readonly call: Pick<Call, "identity" | "connectionId" | "door">;
  /** Where an anonymous caller without a connection comes from. */
  readonly origin: string | null;
}

/**
 * The key in its scope: a user's own; for an anonymous caller its connection's or address's, unless the key is a UUID,
 * which is its own scope, so that a client can repeat a request over another connection.
 */
export function onceOf(key: string, request: string, data: JsonObject, who: KeyScope): Once {
  if (key.length === 0 || key.length > MAX_KEY_LENGTH) {
    throw new Refusal(
      "INVALID_DATA",
      `Invalid idempotency_key: expected 1 to ${MAX_KEY_LENGTH} characters, got ${key.length}`,
    );
  }
  const { identity, connectionId, door } = who.call;
  let scope = `connection ${connectionId ?? `${door} ${who.origin ?? ""}`}`;
  if (identity.authenticated && identity.userId !== null) scope = scopeOf(identity.userId);
  else if (UUID.test(key)) scope = "anybody";
  return { scope: `${scope} ${request}`, key, digest: digest(stringifyJson(data)) };
}

/** Of each user another one, also of those whose names a database cannot tell apart: at NUL, or by half characters. */
function scopeOf(userId: string): string {
  if (userId.isWellFormed() && !userId.includes("\0")) return `user ${userId}`;
  return `user-json ${JSON.stringify(userId)}`;
}

/** Answers requests that carry a key, at most one at a time for a key. */
export class Idempotency {
  readonly #answers: Answers;
  readonly #running = new Map<string, { digest: string; answer: Promise<JsonObject> }>();

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  /** Run `work`, unless the same request was done before or is under way. */
  async run(call: Call, work: () => Promise<JsonObject>): Promise<JsonObject> {
    const once = call.once;
    if (!once) return await work();
    const id = JSON.stringify([once.scope, once.key]);
    const running = this.#running.get(id);
    if (running) {
      expectSame(running.digest, once);
      return await running.answer;
    }
    const stored = this.#answers.find(once);
    if (stored) {
      expectSame(stored.digest, once);
      return parsed(stored.answer);
    }
    const answer = this.#first(call, once, work);
    this.#running.set(id, { digest: once.digest, answer });
    try {
      return await answer;
    } finally {
      this.#running.delete(id);
    }
  }

  async #first(call: Call, once: Once, work: () => Promise<JsonObject>): Promise<JsonObject> {
    const answer = await work();
    // Where the handler committed, the answer was stored in the same transaction as the change.
    if (!call.remembered) this.#answers.save(once, stringifyJson(answer));
    return answer;
  }
}

function expectSame(digest: string, once: Once): void {
  if (digest === once.digest) return;
  throw new Refusal(
    "CONFLICT",
    "The idempotency key was used with other data: repeat the request as it was, or take a new key",
  );
}

function parsed(answer: string): JsonObject {
  const result = parseJson(answer);
  if (!result.ok) throw new Error(`Cannot read a stored answer: ${result.reason}`);
  return (result.value ?? {}) as JsonObject;
}

/**
 * Tells apart two bodies of one caller under one key. No secret and no defence: a caller that makes two bodies collide
 * gets its own former answer.
 */
function digest(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9e3779b9;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 13);
  }
  return `${text.length.toString(36)}-${(a >>> 0).toString(36)}-${(b >>> 0).toString(36)}`;
}
